import Conversation
import NIOPosix
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file of JSON lines that only grows. A line outlives the process once `append` has returned, and the machine where the file is durable.
/// A line that could not be written leaves nothing behind, so that the next one stands by itself.
final class JSONLinesFile: Sendable {
    /// Writes some of the bytes and says how many; -1 with `errno` when it could not.
    typealias Writing = @Sendable (Int32, UnsafeRawBufferPointer) -> Int

    private struct File {
        let descriptor: Int32
        /// Where a torn line begins that could not be cut off yet.
        var tear: off_t?
    }

    private let path: String
    private let isDurable: Bool
    private let writing: Writing
    private let file: Mutex<File>

    /// Cuts off a line that was being written when the last process died. Throws `SandboxError.cannotOpen`.
    init(path: String, isDurable: Bool = true, writing: @escaping Writing = { write($0, $1.baseAddress, $1.count) }) throws {
        let opened = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard opened >= 0, Self.cutUnfinishedLine(opened) else {
            let reason = String(cString: strerror(errno))
            if opened >= 0 { close(opened) }
            throw SandboxError.cannotOpen(path: path, reason: reason)
        }
        self.path = path
        self.isDurable = isDurable
        self.writing = writing
        file = Mutex(File(descriptor: opened))
    }

    deinit {
        _ = file.withLock { close($0.descriptor) }
    }

    /// Runs on a thread of its own kind, because `fsync` blocks. Throws `SandboxError.cannotWrite`, and then the file is as it was.
    func append(_ line: JSONValue) async throws {
        let bytes = CanonicalJSON.bytes(line) + [UInt8(ascii: "\n")]
        try await NIOThreadPool.singleton.runIfActive { try self.appendWhole(bytes) }
    }

    private func appendWhole(_ bytes: [UInt8]) throws {
        try file.withLock { file in
            if let tear = file.tear {
                guard ftruncate(file.descriptor, tear) == 0 else { throw failure() }
                file.tear = nil
            }
            let length = lseek(file.descriptor, 0, SEEK_END)
            guard length >= 0 else { throw failure() }
            do {
                try put(bytes, into: file.descriptor)
            } catch {
                // What cannot be cut off now is cut off before the next line.
                if ftruncate(file.descriptor, length) != 0 { file.tear = length }
                throw error
            }
        }
    }

    private func put(_ bytes: [UInt8], into descriptor: Int32) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { writing(descriptor, $0) }
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { throw failure() }
            rest = rest.dropFirst(written)
        }
        guard !isDurable || fsync(descriptor) == 0 else { throw failure() }
    }

    private func failure() -> SandboxError { .cannotWrite(path: path, reason: String(cString: strerror(errno))) }

    /// False with `errno` when the file cannot be read or cut.
    private static func cutUnfinishedLine(_ descriptor: Int32) -> Bool {
        let length = lseek(descriptor, 0, SEEK_END)
        guard length >= 0 else { return false }
        var block = [UInt8](repeating: 0, count: 65_536)
        var end = length
        while end > 0 {
            let start = max(0, end - off_t(block.count))
            let count = pread(descriptor, &block, Int(end - start), start)
            guard count > 0 else { return false }
            if let found = block[..<count].lastIndex(of: UInt8(ascii: "\n")) {
                let whole = start + off_t(found) + 1
                return whole == length || ftruncate(descriptor, whole) == 0
            }
            end = start
        }
        return length == 0 || ftruncate(descriptor, 0) == 0
    }
}
