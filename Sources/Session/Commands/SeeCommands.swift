extension Commands {
  static var seeCommands: [CommandDefinition] { [plotCommand] }
}
