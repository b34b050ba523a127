import SimKernel

/// The known transports; every number of a preset can be overridden.
public enum TransportCatalog {
  /// Every preset by the value of `preset`.
  public static let registry = Registry<Transport>(
    noun: "transport", discriminator: "preset",
    entries: [
      .init("ideal", summary: "the whole line rate and no cost a message: an upper bound") {
        Transport(&$0, preset: .ideal)
      },
      .init("tcp", summary: "kernel TCP over Ethernet, one connection a transfer") {
        Transport(&$0, preset: .tcp)
      },
      .init("rdma", summary: "RoCEv2 with 4096-byte packets") {
        Transport(&$0, preset: .rdma)
      },
    ])
}

extension Transport {
  /// The whole line rate and nothing else.
  ///
  /// At ideal line rate compression looks useless; compare with ``tcp`` before believing it.
  public static let ideal = Transport(
    name: "ideal",
    provenance: [
      Provenance("goodput", "by definition: no headers"),
      Provenance("launch", "by definition: a message costs nothing but its path"),
    ])

  /// Kernel TCP over Ethernet.
  ///
  /// The cap: 1-bit Adam (Tang et al., ICML 2021, arXiv 2102.02888), Table 1, Ethernet rows.
  /// BERT-large has 336,226,108 parameters, 672.5 MB in fp16; a ring of 64 GPUs sends
  /// 2 · 63/64 · 672.5 MB = 1.324 GB through each host's 40 GbE interface in one connection at a
  /// time. The three rows take 2205.86, 2275.43 and 2259.36 ms, which is 4.80, 4.65 and 4.69 Gb/s;
  /// the 126 message latencies are below 0.1 % of that. Their mean is 4.7 Gb/s.
  public static let tcp = Transport(
    name: "tcp", goodput: 1448.0 / 1538.0, flowCap: .megabitsPerSecond(4700),
    launch: .microseconds(12), innerLaunch: .nanoseconds(3400), connections: 1,
    provenance: [
      Provenance(
        "goodput",
        "derived: 1448 payload bytes (1500 less IPv4 20, TCP 20, timestamps 12) in 1538 on the "
          + "wire (Ethernet 14+4, preamble 8, gap 12)"),
      Provenance(
        "flow_cap",
        "derived from 1-bit Adam (arXiv 2102.02888) Table 1, Ethernet: 2*63/64*672.5 MB through "
          + "one interface in 2.206-2.275 s is 4.65-4.80 Gb/s; valid for one ring, which is one "
          + "connection an interface"),
      Provenance(
        "launch",
        "published: NCCL's tuning table gives an inter-node hop of a Simple ring 14 us, wire "
          + "included; less 2 us assumed for a wire of two links. Measured over InfiniBand-class "
          + "networks, so a lower bound for kernel TCP"),
      Provenance(
        "inner_launch", "published: NCCL's tuning table, NVLink hop of a Simple ring, 3.4 us"),
    ])

  /// RoCEv2 with 4096-byte packets.
  ///
  /// No cap by default. One that reproduces 1-bit Adam's InfiniBand rows (64 GPUs, 8 a node,
  /// 316-336 ms for the same 1.324 GB) is 31.5-33.5 Gb/s of the 100 Gb/s line.
  public static let rdma = Transport(
    name: "rdma", goodput: 4096.0 / 4178.0, launch: .microseconds(12),
    innerLaunch: .nanoseconds(3400),
    provenance: [
      Provenance(
        "goodput",
        "derived: 4096 payload bytes in 4178 on the wire (Ethernet 14+4, preamble 8, gap 12, "
          + "IPv4 20, UDP 8, BTH 12, ICRC 4)"),
      Provenance(
        "flow_cap",
        "assumed: none; 1-bit Adam's InfiniBand rows (arXiv 2102.02888, Table 1) correspond to "
          + "about 33 Gb/s a ring, so give flow_cap to reproduce such a cluster"),
      Provenance(
        "launch",
        "published: NCCL's tuning table gives an inter-node hop of a Simple ring 14 us, wire "
          + "included; less 2 us assumed for a wire of two links"),
      Provenance(
        "inner_launch", "published: NCCL's tuning table, NVLink hop of a Simple ring, 3.4 us"),
    ])
}
