// module Calculus
