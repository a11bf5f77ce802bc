import Datasets
import Syntax
import Tensors

extension Commands {
  static var keepCommands: [CommandDefinition] { [] }
}
