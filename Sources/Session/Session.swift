// module Session
