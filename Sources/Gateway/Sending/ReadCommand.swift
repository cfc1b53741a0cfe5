internal import Conversation
internal import JSON
internal import Signing

/// A command with what of it could be read.
struct ReadCommand: Sendable {
    let source: BusCommand
    let content: Result<SendCommand, InvalidCommand>
    /// The body of the command, where there is one.
    let json: JSONValue?
    /// The name under which the publisher may look for it.
    let name: String
    /// Which message is meant; the same for every delivery and every repetition.
    let key: String

    init(_ source: BusCommand) {
        self.source = source
        var json: JSONValue?
        var event: EventID?
        do throws(InvalidCommand) {
            guard source.body.count <= SendCommand.maxBodyBytes else { throw Self.tooLarge(source.body.count) }
            let envelope = try Envelope(source)
            (json, event) = (envelope.data, envelope.id)
            content = Result { () throws(InvalidCommand) in try SendCommand(json: envelope.data) }
        } catch {
            content = .failure(error)
        }
        self.json = json
        name = String((event?.id ?? source.publisherID ?? source.place).prefix(256))
        // Bounded, whatever publishers call their events.
        let text =
            if let event { "event\n\(event.source)\n\(event.id)" } else if let id = source.publisherID { "id\n\(id)" } else {
                "place\n\(source.place)"
            }
        key = Hex.encode(Digest.sha256(Array(text.utf8)))
    }

    private static func tooLarge(_ bytes: Int) -> InvalidCommand {
        let message = "is \(bytes) bytes long, and at most \(SendCommand.maxBodyBytes) are read"
        return InvalidCommand(problems: [InvalidCommand.Problem(pointer: "", message: message)])
    }

    /// What is kept of it when it leads to nothing: all of it, unless it is larger than any command may be.
    var kept: [UInt8] { Array(source.body.prefix(SendCommand.maxBodyBytes)) }

    var sendKey: SendKey { SendKey(key, of: .bus) }

    /// Commands to one customer keep their order.
    var conversation: String {
        guard case .success(let command) = content else { return "\(source.brand)\n\(key)" }
        return "\(source.brand)\n\(command.instance)\n\(command.recipient.label)"
    }

    struct EventID: Sendable, Hashable {
        var source: String
        var id: String
    }

    /// The JSON of a command, in a CloudEvent (1.0, structured mode) or bare.
    private struct Envelope {
        var data: JSONValue
        var id: EventID?

        init(_ source: BusCommand) throws(InvalidCommand) {
            let body: JSONValue
            do { body = try JSONValue(parsing: source.body) } catch { throw Self.wrong("", "is not JSON: \(error)") }
            let isEvent = source.contentType?.lowercased().hasPrefix("application/cloudevents+json") ?? false
            guard isEvent || body["specversion"] != nil else {
                data = body
                return
            }
            guard body["specversion"]?.string == "1.0" else { throw Self.wrong("/specversion", "must be 1.0") }
            func attribute(_ name: String) throws(InvalidCommand) -> String {
                guard let text = body[name]?.string, !text.isEmpty else { throw Self.wrong("/\(name)", "is missing") }
                return text
            }
            id = EventID(source: try attribute("source"), id: try attribute("id"))
            _ = try attribute("type")
            if let type = body["datacontenttype"]?.string, type.lowercased().hasPrefix("application/json") == false {
                throw Self.wrong("/datacontenttype", "must be application/json")
            }
            guard let data = body["data"], data.object != nil else { throw Self.wrong("/data", "must be an object") }
            self.data = data
        }

        private static func wrong(_ pointer: String, _ message: String) -> InvalidCommand {
            InvalidCommand(problems: [InvalidCommand.Problem(pointer: pointer, message: message)])
        }
    }
}
