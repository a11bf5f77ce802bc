// module Graph
