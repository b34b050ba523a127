/// The known clusters.
///
/// Bandwidths are those of data sheets, per direction. Data sheets give no latency of a whole hop, so
/// all latencies are assumptions, and every `source` says so.
public enum TopologyPresets {
  /// Every preset, in the order of listing.
  public static let all: [TopologyPreset] = accelerated + ethernet + edge

  /// The preset called `name`.
  public static func named(_ name: String) -> TopologyPreset? { all.first { $0.name == name } }

  private static let assumed =
    "Latencies are assumed: 1 us a network link, 0.5 us an inner one"

  // MARK: - Hosts with eight accelerators

  private static let accelerated: [TopologyPreset] = [
    TopologyPreset(
      "8xa100_pod", "DGX A100 hosts on eight 200 Gb/s rails",
      source:
        "NVIDIA A100 data sheet: NVLink 600 GB/s, which is 300 a direction, PCIe gen4 64 GB/s, "
        + "which is 32. NVIDIA DGX A100 data sheet: six NVSwitches, eight 200 Gb/s ConnectX-6 HDR. "
        + "DGX SuperPOD reference architecture: 20 systems a scalable unit, a rail switch "
        + "for each interface. Assumed: two levels without oversubscription beyond one unit. \(assumed)",
      typicalHosts: 4, hosts: 1...4096
    ) { hosts in
      rails(
        hosts, perPod: 20, nvlink: "300 GB/s", pcie: "32 GB/s", nic: "200 Gbps", spines: 5,
        spineLink: "800 Gbps")
    },
    TopologyPreset(
      "8xh100_pod", "DGX H100 hosts on eight 400 Gb/s rails",
      source:
        "NVIDIA H100 data sheet: NVLink 900 GB/s, which is 450 a direction, PCIe gen5 128 GB/s, "
        + "which is 64. NVIDIA DGX H100 data sheet: four NVSwitches, eight 400 Gb/s ConnectX-7. DGX "
        + "SuperPOD DGX H100 reference architecture: 32 systems a scalable unit, a rail "
        + "switch for each interface. Assumed: two levels without oversubscription beyond one unit. "
        + assumed,
      typicalHosts: 4, hosts: 1...4096
    ) { hosts in
      rails(
        hosts, perPod: 32, nvlink: "450 GB/s", pcie: "64 GB/s", nic: "400 Gbps", spines: 16,
        spineLink: "800 Gbps")
    },
    TopologyPreset(
      "p3.16xlarge", "AWS instances of eight V100 with 25 Gb/s",
      source:
        "\(aws) P3: eight V100, 25 Gb/s. NVIDIA V100 data sheet: NVLink 300 GB/s, six lanes of 25 "
        + "a direction, PCIe gen3 32 GB/s, which is 16. Hybrid cube mesh: NVIDIA, DGX-1 with Tesla V100 "
        + "System Architecture (WP-08437-002). \(cloud) \(assumed)",
      typicalHosts: 4
    ) { hosts in cubeMesh(hosts, nic: "25 Gbps") },
    TopologyPreset(
      "p3dn.24xlarge", "AWS instances of eight V100 with 100 Gb/s",
      source: "\(aws) P3: eight V100, 100 Gb/s. The rest as p3.16xlarge. \(cloud) \(assumed)",
      typicalHosts: 4
    ) { hosts in cubeMesh(hosts, nic: "100 Gbps") },
    TopologyPreset(
      "p4d.24xlarge", "AWS instances of eight A100 with 4 x 100 Gb/s",
      source:
        "\(aws) P4: eight A100, NVSwitch 600 GB/s, which is 300 a direction, 400 Gb/s of EFA as 4 x "
        + "100 Gb/s, PCIe gen4 as in NVIDIA's A100 data sheet. \(cloud) \(assumed)",
      typicalHosts: 4
    ) { hosts in
      oneSwitch(hosts, nvlink: "300 GB/s", pcie: "32 GB/s", nics: 4, nic: "100 Gbps")
    },
    TopologyPreset(
      "p5.48xlarge", "AWS instances of eight H100 with 3200 Gb/s",
      source:
        "\(aws) P5: eight H100, NVSwitch 900 GB/s, which is 450 a direction, 3200 Gb/s of EFA; the 32 "
        + "interfaces of 100 Gb/s are taken as one of 400 for each accelerator. PCIe gen5 as in "
        + "NVIDIA's H100 data sheet. \(cloud) \(assumed)",
      typicalHosts: 4
    ) { hosts in
      oneSwitch(hosts, nvlink: "450 GB/s", pcie: "64 GB/s", nics: 8, nic: "400 Gbps")
    },
  ]

  private static let aws = "Amazon EC2 instance page,"
  private static let cloud =
    "Assumed: one non-blocking switch between instances, since AWS publishes no fabric."

  private static func rails(
    _ hosts: Int, perPod: Int, nvlink: String, pcie: String, nic: String, spines: Int,
    spineLink: String
  ) -> String {
    // One unit needs no spines: its rails meet inside the hosts.
    let beyond =
      hosts > perPod
      ? #","hosts_per_pod":\#(perPod),"spines":\#(spines),"spine_link":\#(link(spineLink, "1 us"))"#
      : ""
    return #"{"kind":"pods","hosts":\#(hosts),\#(inside(nvlink, pcie, 8, nic))\#(beyond)}"#
  }

  private static func oneSwitch(
    _ hosts: Int, nvlink: String, pcie: String, nics: Int, nic: String
  ) -> String {
    #"{"kind":"pods","hosts":\#(hosts),\#(inside(nvlink, pcie, nics, nic)),"rails":1}"#
  }

  private static func cubeMesh(_ hosts: Int, nic: String) -> String {
    #"{"kind":"pods","hosts":\#(hosts),"inner":"cube_mesh","#
      + #"\#(inside("25 GB/s", "16 GB/s", 1, nic))}"#
  }

  private static func inside(
    _ nvlink: String, _ pcie: String, _ nics: Int, _ nic: String
  ) -> String {
    #""accelerators_per_host":8,"nics_per_host":\#(nics),"inner_link":\#(link(nvlink, "500 ns")),"#
      + #""pcie_link":\#(link(pcie, "500 ns")),"nic_link":\#(link(nic, "1 us"))"#
  }

  private static func link(_ bandwidth: String, _ latency: String) -> String {
    #"{"bandwidth":"\#(bandwidth)","latency":"\#(latency)"}"#
  }

  // MARK: - Ethernet

  private static let ethernet: [TopologyPreset] = [
    ("10gbe", "10", "IEEE 802.3ae-2002"), ("25gbe", "25", "IEEE 802.3by-2016"),
    ("100gbe", "100", "IEEE 802.3ba-2010"), ("400gbe", "400", "IEEE 802.3bs-2017"),
  ].map { name, rate, standard in
    TopologyPreset(
      name, "hosts around one \(rate) Gb/s Ethernet switch",
      source: "\(standard): \(rate) Gb/s before framing, which the transport takes off. Assumed: a "
        + "non-blocking switch; latency, 1 us a link",
      typicalHosts: 8
    ) { hosts in
      #"{"kind":"star","hosts":\#(hosts),"link":\#(link("\(rate) Gbps", "1 us"))}"#
    }
  }

  // MARK: - Edge

  private static let edge: [TopologyPreset] = [
    TopologyPreset(
      "federated_edge", "a server and clients behind home broadband; the first host is the server",
      source: "US Federal Communications Commission, 2024 Section 706 Report (FCC 24-27): fixed "
        + "broadband is 100 Mb/s down and 20 Mb/s up. Assumed: 10 ms to the access network, 20 ms "
        + "across the Internet, a 10 Gb/s server, nothing slow between",
      typicalHosts: 9, hosts: 2...65536
    ) { hosts in
      #"{"kind":"wan","sites":[{"name":"server","hosts":[{"count":1,"bandwidth":"10 Gbps","#
        + #""latency":"10 us"}]},{"name":"clients","hosts":[{"count":\#(hosts - 1),"#
        + #""bandwidth":"20 Mbps","latency":"10 ms","back":{"bandwidth":"100 Mbps"}}]}],"#
        + #""links":[{"from":"clients","to":"server","bandwidth":"100 Tbps","latency":"20 ms"}]}"#
    }
  ]
}
