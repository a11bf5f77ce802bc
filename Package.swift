// swift-tools-version: 6.1
import PackageDescription

// Tests spend their time in the modules below the session: those are optimised in debug builds as well.
let optimized: [SwiftSetting] = [.unsafeFlags(["-O"], .when(configuration: .debug))]

// Dependencies point one way: each module uses only modules listed above it.
let package = Package(
  name: "hlab",
  products: [.executable(name: "hlab", targets: ["hlab"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0")
  ],
  targets: [
    // C: system libraries and vector kernels.
    .systemLibrary(
      name: "CLibedit", pkgConfig: "libedit", providers: [.apt(["libedit-dev"])]),
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    // Opens SuiteSparse at run time; only its headers are needed to build.
    .target(name: "CSuiteSparse", linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),
    .target(
      name: "CKernels",
      cSettings: [.unsafeFlags(["-O3", "-ffp-contract=off", "-fno-math-errno"])]),

    // The language.
    .target(name: "Syntax", swiftSettings: optimized),

    // Numbers, the graph of formulas, its calculus and its evaluator.
    .target(name: "Tensors", dependencies: ["CKernels"], swiftSettings: optimized),
    .target(name: "Datasets", dependencies: ["CZlib", "Tensors"]),
    .target(
      name: "LinearAlgebra", dependencies: ["CKernels", "COpenBLAS", "CSuiteSparse", "Tensors"],
      swiftSettings: optimized),
    .target(name: "Graph", dependencies: ["Tensors"], swiftSettings: optimized),
    .target(name: "Calculus", dependencies: ["Graph", "Tensors"], swiftSettings: optimized),
    .target(
      name: "Engine",
      dependencies: ["CKernels", "COpenBLAS", "Graph", "LinearAlgebra", "Tensors"], swiftSettings: optimized),

    .target(name: "Optimization", dependencies: ["LinearAlgebra", "Tensors"]),
    .target(
      name: "Curvature", dependencies: ["CKernels", "COpenBLAS", "LinearAlgebra", "Tensors"],
      swiftSettings: optimized),

    .target(name: "Tuning", dependencies: ["Tensors"]),

    // What people see.
    .target(name: "Plotting"),
    .target(
      name: "Session",
      dependencies: [
        "Calculus", "CKernels", "Curvature", "Datasets", "Engine", "Graph", "LinearAlgebra", "Optimization",
        "Plotting",
        "Syntax", "Tensors", "Tuning",
      ]),
    .target(name: "Terminal", dependencies: ["CLibedit"]),
    // Texts is a link to examples/lessons.
    .target(
      name: "Lessons", dependencies: ["Syntax"], resources: [.embedInCode("Texts")]),
    .executableTarget(
      name: "hlab",
      dependencies: [
        "Datasets", "Lessons", "Session", "Syntax", "Terminal",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    // A slow evaluator by definition, for tests to compare with.
    .target(
      name: "TestSupport", dependencies: ["Graph", "Tensors"], path: "Tests/TestSupport",
      swiftSettings: optimized),

    .testTarget(name: "SyntaxTests", dependencies: ["Syntax"]),
    .testTarget(name: "TensorsTests", dependencies: ["Tensors"]),
    .testTarget(name: "DatasetsTests", dependencies: ["Datasets", "Tensors"]),
    .testTarget(name: "KernelTests", dependencies: ["CKernels"]),
    .testTarget(name: "LinearAlgebraTests", dependencies: ["COpenBLAS", "LinearAlgebra"]),
    .testTarget(name: "GraphTests", dependencies: ["Graph", "Calculus", "TestSupport"]),
    .testTarget(
      name: "CalculusTests", dependencies: ["CKernels", "Calculus", "Engine", "Graph", "TestSupport"]),
    .testTarget(
      name: "EngineTests",
      dependencies: ["Calculus", "CKernels", "Engine", "Graph", "LinearAlgebra", "TestSupport"]),
    .testTarget(name: "OptimizationTests", dependencies: ["LinearAlgebra", "Optimization", "Tensors"]),
    .testTarget(name: "TuningTests", dependencies: ["Tensors", "Tuning"]),
    .testTarget(name: "CurvatureTests", dependencies: ["Curvature", "LinearAlgebra", "Tensors"]),
    .testTarget(name: "PlottingTests", dependencies: ["Plotting"]),
    .testTarget(
      name: "SessionTests", dependencies: ["Session", "TestSupport"],
      exclude: ["Errors", "Problems", "Programs"]),
    .testTarget(name: "ExampleTests", dependencies: ["Lessons", "Session", "TestSupport"]),
    .testTarget(name: "TerminalTests", dependencies: ["Terminal"]),
  ],
  swiftLanguageModes: [.v6]
)
