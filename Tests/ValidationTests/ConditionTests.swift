import Testing
import Validation

@Suite struct ConditionTests {
  @Test func `clauses are read in their order`() throws {
    let condition = try Condition(#"n - o > -0.02 +/- 0.01 /\ d < 0.1 +/- 0.02"#)
    #expect(condition.clauses.count == 2)
    let first = condition.clauses[0]
    #expect(first.expression[.new] == 1)
    #expect(first.expression[.old] == -1)
    #expect(first.expression[.difference] == 0)
    #expect(first.comparison == .above)
    #expect(first.threshold == -0.02)
    #expect(first.tolerance == 0.01)
    let second = condition.clauses[1]
    #expect(second.expression.variables == [.difference])
    #expect(second.comparison == .below)
    #expect(second.threshold == 0.1)
    #expect(second.tolerance == 0.02)
  }

  /// Text, coefficients of n, o and d, and the threshold left for them.
  @Test(arguments: [
    ("n>0.8+/-0.01", [1.0, 0, 0], 0.8), ("n - 1.1 * o > 0 +/- 1", [1, -1.1, 0], 0),
    ("n * 2 + o * 3 - d > 1 +/- 1", [2, 3, -1], 1), ("n + n - o > 0 +/- 1", [2, -1, 0], 0),
    ("-n + 0.25 < 0.5 +/- 1", [-1, 0, 0], 0.25), ("2 * 3 * d < 1e-1 +/- .5", [0, 0, 6], 0.1),
    ("\tn\n-\r\no > +0.5 +/- 2.", [1, -1, 0], 0.5), ("n - -2 * o > 1E2 +/- 1e+1", [1, 2, 0], 100),
    ("0 * n + o > 1 +/- 1", [0, 1, 0], 1),
  ])
  func `expressions are linear`(text: String, coefficients: [Double], threshold: Double) throws {
    let clause = try Condition(text).clauses[0]
    for (variable, coefficient) in zip(GateVariable.allCases, coefficients) {
      #expect(clause.expression[variable] == coefficient)
    }
    #expect(clause.thresholdOfVariables == threshold)
  }

  @Test(arguments: [
    "n > 0.8 +/- 0.01", "-n + o < -0.5 +/- 1e-07", #"n - 1.1 * o > 0 +/- 1 /\ d < 0.1 +/- 0.02"#,
    "n - 0.25 > 0.5 +/- 1", "-2.5 * d + 3 > 0 +/- 0.1",
  ])
  func `a description reads back as the same condition`(text: String) throws {
    let condition = try Condition(text)
    #expect(try Condition(condition.description) == condition)
  }

  /// A condition and the position of its first fault.
  @Test(arguments: [
    ("", 0), ("   ", 3), ("n", 1), ("n >", 3), ("n > 0.1", 7), ("n > 0.1 +/-", 11),
    ("n > 0.1 +/- 0", 12), ("n > 0.1 +/- -1", 12), ("n > o +/- 0.1", 4), ("n * o > 0 +/- 0.1", 4),
    ("n - n > 0 +/- 0.1", 0), ("n >= 0.1 +/- 1", 3), ("x > 0.1 +/- 1", 0), ("2n > 0.1 +/- 1", 1),
    ("n > 1.2.3 +/- 1", 7), ("n > 1e +/- 1", 6), ("n > . +/- 1", 4), ("n > 1e999 +/- 1", 4),
    ("n > 0.1 ± 0.1", 8), ("n > 0.1 + 0.1", 8), (#"n > 0.1 +/- 0.1 /\"#, 18),
    ("n > 0.1 +/- 0.1 / d < 1 +/- 1", 16), ("n > 0.1 +/- 0.1 d < 1 +/- 1", 16),
    ("n o > 0 +/- 0.1", 2), ("n + > 0 +/- 0.1", 4), ("(n - o) > 0 +/- 0.1", 0),
    ("n > \u{0663} +/- 1", 4), ("1 > 0 +/- 1", 0), ("1e308 * 1e308 * n > 0 +/- 1", 0),
    (#"n > 0.1 +/- 0.1 /\ new < 1 +/- 1"#, 19), ("n * > 1 +/- 1", 4),
  ])
  func `a fault is found where it is`(text: String, offset: Int) {
    #expect { try Condition(text) } throws: { error in
      (error as? ConditionError)?.offset == offset
    }
  }

  @Test func `the caret stands under the offending character`() {
    let cases: [(String, String)] = [
      (
        "n - o > 0.1 +- 0.01",
        """
        n - o > 0.1 +- 0.01
                    ^ expected +/- and a tolerance, found "+"
        """
      ),
      (
        "n\t* o > 0 +/- 1",
        """
        n * o > 0 +/- 1
            ^ a product of two variables is not linear; multiply by a number
        """
      ),
      (
        "d <",
        """
        d <
           ^ expected a number to compare with, found the end
        """
      ),
    ]
    for (text, message) in cases {
      #expect { try Condition(text) } throws: { "\($0)" == message }
    }
  }

  /// No text of up to five characters traps, and each that is refused is refused inside itself.
  @Test func `any short text is read or refused`() {
    let alphabet = Array(#"nod1.e+-*/\<> "#)
    var texts = [""]
    var refused = 0
    for _ in 0..<4 {
      texts = texts.flatMap { text in alphabet.map { text + String($0) } }
      for text in texts {
        do throws(ConditionError) {
          _ = try Condition(text)
        } catch {
          refused += 1
          if error.offset < 0 || error.offset > text.count { Issue.record("\(text)") }
        }
      }
    }
    // The shortest condition has seven characters.
    #expect(refused == 14 + 14 * 14 + 14 * 14 * 14 + 14 * 14 * 14 * 14)
  }
}

@Suite struct TruthTests {
  /// The order false, unknown, true makes the conjunction a minimum.
  @Test func `conjunction is Kleene's`() {
    let order: [TruthValue] = [.false, .unknown, .true]
    #expect(Set(order) == Set(TruthValue.allCases))
    for left in 0..<3 {
      for right in 0..<3 {
        #expect((order[left] && order[right]) == order[min(left, right)])
      }
    }
  }

  @Test(arguments: [
    (0.6, 0.8, TruthValue.true, TruthValue.false), (0.2, 0.4, .false, .true),
    (0.4, 0.6, .unknown, .unknown), (0.5, 0.7, .unknown, .false), (0.3, 0.5, .false, .unknown),
    (0.5, 0.5, .false, .false),
  ])
  func `a clause is decided by the side its interval is on`(
    lower: Double, upper: Double, above: TruthValue, below: TruthValue
  ) throws {
    let clauses = try Condition(#"n > 0.5 +/- 1 /\ n < 0.5 +/- 1"#).clauses
    #expect(clauses[0].truth(over: lower...upper) == above)
    #expect(clauses[1].truth(over: lower...upper) == below)
  }

  @Test func `unknown fails where passes must be right and passes where fails must be`() {
    #expect(TruthValue.allCases.filter(GateMode.falsePositiveFree.passes) == [.true])
    #expect(TruthValue.allCases.filter(GateMode.falseNegativeFree.passes) == [.unknown, .true])
  }
}
