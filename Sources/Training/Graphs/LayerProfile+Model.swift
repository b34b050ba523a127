import SimKernel

extension LayerProfile {
  /// The tensors of `model` one after another: backward times are the gaps between the ready times of
  /// their gradients, forward time is spread by multiply-accumulates, or by elements if there are none.
  ///
  /// Tensors that no forward pass uses have no gradient and are left out. The branches of a model are
  /// not known from its table; profiles of PipeDream have them.
  ///
  /// - Precondition: `times` belong to the tensors of `model`.
  public init(model: ModelTable, times: ComputeTimes, bytesPerElement: Int = 4) {
    let tensors = model.tensors.indices.filter { model.tensors[$0].isExecuted }
    precondition(
      times.readyOffsets.count == model.tensors.count, "there is a ready time for every tensor")
    let hasWork = tensors.contains { model.tensors[$0].forwardMACs > 0 }
    func work(_ index: Int) -> Int {
      hasWork ? model.tensors[index].forwardMACs : model.tensors[index].elements
    }
    let total = max(1, tensors.reduce(0.0) { $0 + Double(work($1)) })
    var done = 0.0
    var spent = SimDuration.zero
    var layers: [Layer] = []
    for (place, index) in tensors.enumerated() {
      let tensor = model.tensors[index]
      done += Double(work(index))
      // Cut from the whole, so that the parts add up to it.
      let until =
        place == tensors.count - 1
        ? times.forward : min(times.forward, times.forward.scaled(by: min(1, done / total)))
      let next = place + 1 < tensors.count ? times.readyOffsets[tensors[place + 1]] : .zero
      layers.append(
        Layer(
          name: tensor.name, forward: until - spent,
          backward: max(.zero, times.readyOffsets[index] - next),
          parameters: ByteCount(Int64(tensor.elements) * Int64(bytesPerElement)),
          predecessors: place == 0 ? [] : [place - 1]))
      spent = until
    }
    self.init(name: model.name, layers: layers)
  }
}
