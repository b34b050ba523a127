import Foundation
import SimKernel
import Training

/// Reads the device that a scenario names, from the catalogue or from a profile.
public enum DeviceProfileFiles {
  /// The device behind `reference`; nil if its file cannot be used, which is reported at `path`, one
  /// issue a problem, each with its place in the profile.
  public static func read(
    _ reference: DeviceReference, directory: URL, path: FieldPath, position: TextPosition?,
    issues: IssueCollector
  ) -> DeviceProfile? {
    func report(_ problem: Issue.Problem, severity: Issue.Severity = .error) {
      issues.report(Issue(path: path, position: position, severity: severity, problem: problem))
    }
    switch reference {
    case .builtIn(let name):
      return DeviceCatalog.profile(named: name)
    case .file(let file, let base):
      do {
        let data = try Data(contentsOf: URL(fileURLWithPath: file, relativeTo: directory))
        let profile = try data.withUnsafeBytes { try DeviceFile.parse($0, origin: file) }
        for entry in profile.codecs {
          // Where samples stand in for a poor fit there is nothing to warn of.
          let fits = [entry.encode, entry.decode].filter { !$0.isInterpolated }
            .compactMap(\.rSquared)
          if let worst = fits.min(), worst < CodecCalibration.doubtfulFit {
            report(
              .note(
                "\(file): the cost of \(entry.pipeline) explains its times badly "
                  + "(R^2 = \(JSONNumber.shortest(worst)))"),
              severity: .warning)
          }
        }
        return profile.profile(base: base)
      } catch let invalid as InvalidInput {
        for issue in invalid.issues { report(.conflict(issue.description)) }
      } catch let error as JSONError {
        report(.conflict(error.description))
      } catch {
        report(
          .invalid(
            found: "\(file): \(InputError.reason(error))",
            expected: "give a device profile that can be read"))
      }
      return nil
    }
  }
}
