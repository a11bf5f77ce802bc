import LinearAlgebra
import Optimization
import Syntax
import Tensors

extension Commands {
  static var moveCommands: [CommandDefinition] { [] }
}
