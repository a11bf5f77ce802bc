import Glibc
import Testing

@testable import Terminal

/// An errno from a system call of the test itself.
struct SystemError: Error { let code: Int32 }

/// A new directory for one test.
func temporaryDirectory() throws -> String {
  var template = Array("/tmp/hlab-test-XXXXXX\0".utf8CString)
  guard mkdtemp(&template) != nil else { throw SystemError(code: errno) }
  return String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// The executable that was built with these tests.
func hlabPath() throws -> String {
  var directories = CommandLine.arguments.filter { $0.contains(".xctest") }.map { directory(of: $0) }
  var buffer = [CChar](repeating: 0, count: 4096)
  let count = readlink("/proc/self/exe", &buffer, buffer.count)
  if count > 0 {
    let path = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    directories.append(directory(of: path))
  }
  let root = directory(of: directory(of: directory(of: #filePath)))
  directories += [root + "/.build/debug", root + "/.build/release"]
  return try #require(directories.map { $0 + "/hlab" }.first { access($0, X_OK) == 0 })
}

private func directory(of path: String) -> String {
  path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
}

/// Starts the executable with the given descriptors, or on a terminal of its own, in an environment that has
/// nothing of the user's but the paths.
func spawn(
  _ arguments: [String], environment: [String: String], stdio: [Int32] = [], terminal: String? = nil,
  closing: Int32? = nil
) throws -> pid_t {
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  var attributes = posix_spawnattr_t()
  posix_spawnattr_init(&attributes)
  defer { posix_spawnattr_destroy(&attributes) }
  // Signals as in a fresh shell: the threads of a test runner block most of them.
  var signals = sigset_t()
  sigemptyset(&signals)
  posix_spawnattr_setsigmask(&attributes, &signals)
  for signal in [SIGINT, SIGHUP, SIGPIPE, SIGTERM] { sigaddset(&signals, signal) }
  posix_spawnattr_setsigdefault(&attributes, &signals)
  let newSession = 0x80
  let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
  posix_spawnattr_setflags(&attributes, Int16(Int(flags) | (terminal == nil ? 0 : newSession)))
  if let terminal {
    for descriptor in Int32(0)...2 {
      posix_spawn_file_actions_addopen(&actions, descriptor, terminal, O_RDWR, 0)
    }
  }
  for (target, source) in stdio.enumerated() {
    posix_spawn_file_actions_adddup2(&actions, source, Int32(target))
  }
  if let closing { posix_spawn_file_actions_addclose(&actions, closing) }
  var variables = environment
  for name in ["PATH", "LD_LIBRARY_PATH"] { variables[name] = environmentVariable(name) }
  let path = try hlabPath()
  var argv = ([path] + arguments).map { strdup($0) } + [nil]
  var envp = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
  defer { for pointer in argv + envp { free(pointer) } }
  var child: pid_t = 0
  let status = posix_spawn(&child, path, &actions, &attributes, &argv, &envp)
  if status != 0 { throw SystemError(code: status) }
  return child
}

/// Waits for a child: its exit code, or 128 and the signal that ended it. It is killed when it takes too long.
func wait(for child: pid_t, seconds: Double = 60) -> Int32 {
  var status: Int32 = 0
  var attempts = Int(seconds * 100)
  while waitpid(child, &status, WNOHANG) == 0 {
    attempts -= 1
    if attempts == 0 { kill(child, SIGKILL) }
    usleep(10_000)
  }
  let signal = status & 0x7f
  return signal == 0 ? (status >> 8) & 0xff : 128 + signal
}

/// What a finished process left.
struct ProcessResult {
  let exitCode: Int32
  let output: String
  let error: String
}

/// Runs the executable to its end, with `input` as standard input.
func runHlab(_ arguments: [String], input: String = "", environment: [String: String] = [:]) throws
  -> ProcessResult
{
  let directory = try temporaryDirectory()
  let names = ["in", "out", "err"].map { directory + "/" + $0 }
  let descriptors = names.map { open($0, O_RDWR | O_CREAT | O_CLOEXEC, 0o600) }
  defer { for descriptor in descriptors { close(descriptor) } }
  try writeAll(descriptors[0], input.utf8)
  lseek(descriptors[0], 0, SEEK_SET)
  var variables = environment
  variables["HOME"] = variables["HOME"] ?? directory
  let child = try spawn(arguments, environment: variables, stdio: descriptors)
  let exitCode = wait(for: child)
  let texts = try names.map { String(decoding: try readFile($0), as: UTF8.self) }
  return ProcessResult(exitCode: exitCode, output: texts[1], error: texts[2])
}
