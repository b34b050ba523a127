import Collectives
import SimKernel
import Testing

@Suite("Reports of who waits for whom")
struct PendingDescriptionTests {
  @Test("a ring whose rank 2 never comes")
  func ring() throws {
    let plan = try CollectiveAlgorithm(.ring).makePlan(
      .allReduce, shape: GroupShape(rankCount: 4), size: .bytes(400)
    ).get()
    for plan in [plan, plan.stored()] {
      var execution = CollectiveExecution(plan: plan, size: .bytes(400))
      var actions: [CollectiveExecution.Action] = []
      for rank in [0, 1, 3] { execution.ready(RankID(rank), actions: &actions) }
      execution.delivered(step: 1, actions: &actions)
      #expect(
        execution.pendingDescription() == """
          rank 0 waits for chunk 3 from rank 3 (step 3), which is under way
          rank 1 waits for chunk 0 from rank 0 (step 0), which is under way
          rank 2 is not ready; 1 messages wait for it
          rank 3 waits for chunk 2 from rank 2 (step 2), which is not sent: rank 2 is not ready
          """)
      #expect(
        execution.pendingDescription(limit: 1) == """
          rank 0 waits for chunk 3 from rank 3 (step 3), which is under way
          ... and 3 more ranks
          """)
      execution.delivered(step: 3, actions: &actions)
      execution.delivered(step: 4, actions: &actions)
      #expect(!execution.isComplete)
      #expect(
        execution.pendingDescription().contains(
          "rank 1 waits for chunk 0 from rank 0 (step 0), which is under way"))
      execution.delivered(step: 0, actions: &actions)
      #expect(
        execution.pendingDescription().contains(
          "rank 0 waits for chunk 2 from rank 3 (step 7), which is not sent: rank 3 waits itself"))
    }
  }

  @Test("a rank that reduces, and a message ahead of its turn")
  func combining() throws {
    let plan = try CollectiveAlgorithm(.tree).makePlan(
      .reduce, shape: GroupShape(rankCount: 4), size: .bytes(400)
    ).get()
    var execution = CollectiveExecution(
      plan: plan, size: .bytes(400), reductionRate: .gigabitsPerSecond(1))
    var actions: [CollectiveExecution.Action] = []
    for rank in 0..<4 { execution.ready(RankID(rank), actions: &actions) }
    execution.delivered(step: 0, actions: &actions)
    #expect(
      execution.pendingDescription() == """
        rank 0 is reducing
        rank 2 waits for chunk 0 from rank 3 (step 2), which is under way
        """)
    execution.combined(step: 0, actions: &actions)
    execution.delivered(step: 2, actions: &actions)
    execution.combined(step: 2, actions: &actions)
    execution.delivered(step: 1, actions: &actions)
    execution.combined(step: 1, actions: &actions)
    #expect(execution.isComplete && execution.pendingDescription() == "")
  }
}
