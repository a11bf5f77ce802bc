import Plotting
import Syntax
import Tensors

extension Commands {
  static var seeCommands: [CommandDefinition] { [] }
}
