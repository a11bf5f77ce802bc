// module LinearAlgebra
