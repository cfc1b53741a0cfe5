import Foundation
import Storage
import Testing

struct StoreFileLockTests {
    /// A folder of its own, gone afterwards.
    private func inFolder(_ body: (String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "switchboard-lock-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    private func isRefused(_ path: String) -> Bool {
        do {
            _ = try StoreFileLock(storePath: path)
            return false
        } catch {
            guard case .inUse = error else { return false }
            return "\(error)".contains(path) && "\(error)".contains("in use by another gateway")
        }
    }

    @Test func aStoreIsOpenedOnceUntilItIsLetGo() throws {
        try inFolder { folder in
            let path = folder + "/a.sqlite"
            var held: StoreFileLock? = try StoreFileLock(storePath: path)
            #expect(isRefused(path))
            #expect(!isRefused(folder + "/b.sqlite"))
            let mode = try FileManager.default.attributesOfItem(atPath: path + ".lock")[.posixPermissions] as? Int
            #expect(mode == 0o600)
            withExtendedLifetime(held) {}
            held = nil
            #expect(!isRefused(path))
        }
    }

    @Test func anotherNameOfTheSameFileIsTheSameStore() throws {
        try inFolder { folder in
            let (path, link, inside) = (folder + "/a.sqlite", folder + "/link.sqlite", folder + "/folder")
            #expect(FileManager.default.createFile(atPath: path, contents: nil))
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
            try FileManager.default.createSymbolicLink(atPath: inside, withDestinationPath: folder)
            let held = try StoreFileLock(storePath: path)
            for name in [
                link, inside + "/a.sqlite", folder + "/./a.sqlite",
                folder + "/folder/../\((folder as NSString).lastPathComponent)/a.sqlite",
            ] {
                #expect(isRefused(name), "\(name)")
            }
            withExtendedLifetime(held) {}
        }
    }

    @Test func aFolderThatIsNotThereIsNamed() {
        let error = #expect(throws: StoreFileLock.Problem.self) { try StoreFileLock(storePath: "/nowhere/at/all/a.sqlite") }
        #expect(error?.description.contains("/nowhere/at/all/a.sqlite") == true)
    }
}
