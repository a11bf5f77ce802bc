extension Commands {
  static var seeCommands: [CommandDefinition] {
    [plotCommand, sliceCommand, surfaceCommand, pathCommand, animateCommand]
  }
}
