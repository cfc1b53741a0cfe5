import Foundation

/// A server with TLS and HTTP/1.1, in a process of its own (`python3`): it answers requests with the number of their connection, and writes
/// on the first one what it is told to.
final class TLSServer: Sendable {
    let port: Int
    /// A file with the certificate, for those who trust it.
    let authorities: String
    private let folder: String
    private let process: Process
    private let input: FileHandle
    private let output: FileHandle

    struct Missing: Error { let text: String }

    /// Throws when `python3` cannot be had.
    init() throws {
        folder = NSTemporaryDirectory() + "switchboard-tls-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        authorities = folder + "/certificate.pem"
        try Self.certificate.write(toFile: authorities, atomically: false, encoding: .utf8)
        try Self.key.write(toFile: folder + "/key.pem", atomically: false, encoding: .utf8)
        process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-u", "-c", Self.program, authorities, folder + "/key.pem"]
        let (orders, answers) = (Pipe(), Pipe())
        process.standardInput = orders
        process.standardOutput = answers
        try process.run()
        input = orders.fileHandleForWriting
        output = answers.fileHandleForReading
        guard let port = Int(Self.line(output)) else { throw Missing(text: "python3 with ssl") }
        self.port = port
    }

    /// Ends the process, which ends with its input.
    func stop() {
        try? input.close()
        process.waitUntilExit()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Writes these bytes on the first connection; returns when they lie in the other end's socket.
    func plant(_ text: String) async throws -> String {
        try input.write(contentsOf: Data("\(Data(text.utf8).base64EncodedString())\n".utf8))
        return await withCheckedContinuation { continuation in
            Thread { [output] in continuation.resume(returning: Self.line(output)) }.start()
        }
    }

    /// Byte by byte: the line's end may come by itself. What there is when the program ends before it.
    private static func line(_ handle: FileHandle) -> String {
        var line: [UInt8] = []
        while let byte = try? handle.read(upToCount: 1)?.first, byte != 10 { line.append(byte) }
        return String(decoding: line, as: UTF8.self)
    }

    private static let program = """
        import base64, fcntl, socket, ssl, struct, sys, termios, threading, time
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1], sys.argv[2])
        listener = socket.create_server(("127.0.0.1", 0))
        print(listener.getsockname()[1])
        connections = []

        def answer(text):
            return ("HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n%s" % (len(text), text)).encode()

        def serve(raw, number):
            connection = context.wrap_socket(raw, server_side=True)
            connections.append(connection)
            data = b""
            while True:
                piece = connection.recv(65536)
                if not piece: return
                data += piece
                while b"\\r\\n\\r\\n" in data:
                    data = data.split(b"\\r\\n\\r\\n", 1)[1]
                    connection.sendall(answer("ok %d" % number))

        def listen():
            number = 0
            while True:
                raw, _ = listener.accept()
                number += 1
                threading.Thread(target=serve, args=(raw, number), daemon=True).start()

        threading.Thread(target=listen, daemon=True).start()
        for line in sys.stdin:
            connections[0].sendall(base64.b64decode(line))
            # Until the other end has acknowledged all of it.
            while struct.unpack("i", fcntl.ioctl(connections[0].fileno(), termios.TIOCOUTQ, bytes(4)))[0] > 0: time.sleep(0.001)
            print("planted")
        """

    private static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBoTCCAUagAwIBAgIUGtflt/Nw4ELDSLJgTMxrCLMjCh4wCgYIKoZIzj0EAwIw
        HDEaMBgGA1UEAwwRc3dpdGNoYm9hcmQgdGVzdHMwIBcNMjYxMTIxMTYxMzI1WhgP
        MjEyNjEwMjgxNjEzMjVaMBwxGjAYBgNVBAMMEXN3aXRjaGJvYXJkIHRlc3RzMFkw
        EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEbSS/kjCyPWzXYAbplmTEuZBl+aTQwWL2
        rcC3V/e5e+rbKCnOUJKmXwrPlnB8MEO6/jblhJ3UiwWWh6GsGESdtaNkMGIwHQYD
        VR0OBBYEFFdoZfBnm2MPyu3nNZgu5PcljGC8MB8GA1UdIwQYMBaAFFdoZfBnm2MP
        yu3nNZgu5PcljGC8MA8GA1UdEwEB/wQFMAMBAf8wDwYDVR0RBAgwBocEfwAAATAK
        BggqhkjOPQQDAgNJADBGAiEA4j7tVJsodGNBYru4P2J69DRUhaNtNk+pPkU2SqRe
        XL4CIQC5X4ecUmkutD1RBXeQa206OsbADZDx94zQ6SLTmlnOLw==
        -----END CERTIFICATE-----

        """

    private static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgbism4fLWcf1NbjoW
        ZrlN8NTN5aNOgPmNGh7Xqs1qIkehRANCAARtJL+SMLI9bNdgBumWZMS5kGX5pNDB
        YvatwLdX97l76tsoKc5QkqZfCs+WcHwwQ7r+NuWEndSLBZaHoawYRJ21
        -----END PRIVATE KEY-----

        """
}
