/// Operations that found their CPU or NIC busy, by resource, in posting order.
///
/// Only the first of a list has an event pending, so a thousand sends of one host cost a thousand
/// events and not half a million. Lists share one pool of nodes.
struct WaitingOperations: ~Copyable {
  private struct Node: BitwiseCopyable {
    var sequence: UInt64
    var operation: UInt32
    var next: Int32
  }
  private struct List: BitwiseCopyable {
    var first: Int32 = -1
    var last: Int32 = -1
  }
  private var lists: FlatBuffer<List>
  private var nodes = FlatBuffer<Node>()
  private var firstFree: Int32 = -1

  init(count: Int) { lists = FlatBuffer(repeating: List(), count: count) }

  /// The first of a list.
  func first(_ list: Int) -> (sequence: UInt64, operation: UInt32)? {
    let node = lists[list].first
    return node < 0 ? nil : (nodes[Int(node)].sequence, nodes[Int(node)].operation)
  }

  /// Removes the first of a list, which there is.
  mutating func removeFirst(_ list: Int) {
    let node = lists[list].first
    lists[list].first = nodes[Int(node)].next
    if lists[list].first < 0 { lists[list].last = -1 }
    nodes[Int(node)].next = firstFree
    firstFree = node
  }

  /// Files an operation by its sequence number; returns whether it is the first of its list.
  mutating func insert(_ operation: UInt32, sequence: UInt64, into list: Int) -> Bool {
    let node = Node(sequence: sequence, operation: operation, next: -1)
    let index: Int32
    if firstFree >= 0 {
      index = firstFree
      firstFree = nodes[Int(index)].next
      nodes[Int(index)] = node
    } else {
      index = Int32(nodes.count)
      nodes.append(node)
    }
    let last = lists[list].last
    if last < 0 {
      lists[list] = List(first: index, last: index)
      return true
    }
    if nodes[Int(last)].sequence < sequence {
      nodes[Int(last)].next = index
      lists[list].last = index
      return false
    }
    // Somebody posted later waited first: hosts differ, or there are several CPUs.
    var place = lists[list].first
    if sequence < nodes[Int(place)].sequence {
      nodes[Int(index)].next = place
      lists[list].first = index
      return true
    }
    while nodes[Int(nodes[Int(place)].next)].sequence < sequence { place = nodes[Int(place)].next }
    nodes[Int(index)].next = nodes[Int(place)].next
    nodes[Int(place)].next = index
    return false
  }
}
