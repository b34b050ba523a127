// swift-tools-version: 6.1
import PackageDescription

// The arrows point one way: simnet -> Reporting, Experiments -> Training -> {Networks, Collectives,
// Compression} -> SimKernel, with Interchange and Validation beside them. Hot generics live in SimKernel and are
// inlinable; everything else keeps its loops inside one module.
let package = Package(
  name: "simnet",
  products: [
    .executable(name: "simnet", targets: ["simnet"]),
    .executable(name: "simnet-bench", targets: ["simnet-bench"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
  ],
  targets: [
    .systemLibrary(
      name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    // A square root of a variable may call libm, which Swift does not link by itself.
    .target(name: "SimKernel", linkerSettings: [.linkedLibrary("m")]),
    .target(name: "CPrefetch"),
    .target(name: "Networks", dependencies: ["SimKernel", "CPrefetch"]),
    .target(name: "Collectives", dependencies: ["SimKernel"]),
    // Loops that ask the processor which instructions it has.
    .target(name: "CKernels"),
    .target(name: "Compression", dependencies: ["SimKernel", "CZstd", "CKernels"]),
    .target(
      name: "Interchange",
      dependencies: ["SimKernel", .product(name: "SwiftProtobuf", package: "swift-protobuf")],
      exclude: ["Chakra/et_def.proto"]),
    // Gates, comparisons and data checks: pure computation over numbers that others read.
    .target(name: "Validation", dependencies: ["SimKernel"]),
    .target(name: "CModelData", exclude: ["models.txt", "device_times.txt", "epyc-1core.json"]),
    .target(
      name: "Training",
      dependencies: ["SimKernel", "Networks", "Collectives", "Compression", "CModelData"]),
    .target(
      name: "Experiments",
      dependencies: [
        "SimKernel", "Networks", "Collectives", "Compression", "Training", "Interchange",
        "Validation",
      ]),
    .target(
      name: "Reporting",
      dependencies: ["SimKernel", "Networks", "Training", "Experiments", "Validation"]),
    .executableTarget(
      name: "simnet",
      dependencies: [
        "Experiments", "Reporting", "Interchange", "Validation",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .executableTarget(
      name: "simnet-bench",
      dependencies: [
        "SimKernel", "Networks", "Collectives", "Compression", "Training", "Experiments",
        "Interchange",
      ]),
    .testTarget(name: "SimKernelTests", dependencies: ["SimKernel"]),
    .testTarget(name: "NetworksTests", dependencies: ["Networks"]),
    .testTarget(name: "CollectivesTests", dependencies: ["Collectives"]),
    // Drives codecs with hostile bytes, for the tests and for Tools/fuzz.sh.
    .target(name: "CodecFuzzing", dependencies: ["SimKernel", "Compression"]),
    .testTarget(
      name: "CompressionTests", dependencies: ["Compression", "CodecFuzzing", "CKernels"],
      exclude: ["Fixtures"]),
    .testTarget(name: "InterchangeTests", dependencies: ["Interchange"]),
    .testTarget(name: "ValidationTests", dependencies: ["Validation"]),
    .testTarget(name: "TrainingTests", dependencies: ["Training"]),
    .testTarget(name: "ExperimentsTests", dependencies: ["Experiments", "Validation"]),
    .testTarget(name: "ReportingTests", dependencies: ["Reporting", "Validation"]),
    .testTarget(name: "SimnetTests", dependencies: ["simnet", "Interchange"]),
  ],
  swiftLanguageModes: [.v6]
)
