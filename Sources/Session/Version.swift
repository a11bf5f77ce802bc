/// The version that `--version`, the banner and logs show.
public let hlabVersion = "0.1.0"
