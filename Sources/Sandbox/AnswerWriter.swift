import HTTPTypes
import Hummingbird
import NIOCore
import ServiceLifecycle

/// Makes a server's response of an answer.
enum AnswerWriter {
    private static let block = ByteBuffer(repeating: UInt8(ascii: "x"), count: 65_536)

    static func response(_ answer: StandInAnswer) -> Response {
        var fields = HTTPFields()
        fields[.contentType] = answer.contentType
        for header in answer.headers {
            if let name = HTTPField.Name(header.name) { fields.append(HTTPField(name: name, value: header.value)) }
        }
        return Response(status: HTTPResponse.Status(code: answer.status), headers: fields, body: body(answer))
    }

    private static func body(_ answer: StandInAnswer) -> ResponseBody {
        switch answer.filler {
        case nil: ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body))
        case .bytes(let count):
            ResponseBody(contentLength: count) { writer in
                var rest = count
                while rest > 0 {
                    let part = block.getSlice(at: 0, length: min(rest, block.readableBytes)) ?? block
                    try await writer.write(part)
                    rest -= part.readableBytes
                }
                try await writer.finish(nil)
            }
        case .endless:
            // Writing fails as soon as the caller has gone away, which ends this.
            ResponseBody { writer in
                while !Task.isCancelled && !Task.isShuttingDownGracefully { try await writer.write(block) }
                throw CancellationError()
            }
        case .trickle(let wait):
            // Ends like the endless one: with a caller who has gone, or with the sandbox.
            ResponseBody(contentLength: answer.body.count) { writer in
                let half = answer.body.count / 2
                try await writer.write(ByteBuffer(bytes: answer.body[..<half]))
                for byte in answer.body[half...] {
                    try await cancelWhenGracefulShutdown { try await Task.sleep(for: wait) }
                    try await writer.write(ByteBuffer(bytes: [byte]))
                }
                try await writer.finish(nil)
            }
        }
    }
}
