import Conversation
import HTTPCalls
import JSON

/// Reading calls of ticket systems.
enum SignedCall {
    /// The one value of a header that proves the call. Throws `unproven` when it is missing or stands there twice.
    static func only(_ name: String, in request: ChannelRequest) throws(DeskError) -> String {
        let values = request.headers(name)
        guard values.count == 1, let value = values.first, !value.isEmpty, value.utf8.count <= 1_024 else {
            throw DeskError(.unproven, "the header \(name) is missing, empty or repeated")
        }
        return value
    }

    /// The object that a proven call carries. Throws `refused`.
    static func json(_ request: ChannelRequest) throws(DeskError) -> JSONView {
        guard request.body.count <= DeskText.longestBody else { throw malformed("the body is larger than \(DeskText.longestBody) bytes") }
        let root: JSONView
        do {
            root = try JSONDocument.parse(request.body).root
        } catch {
            throw malformed("\(error)")
        }
        guard root.isObject else { throw malformed("the body is no JSON object") }
        return root
    }

    static func malformed(_ what: String) -> DeskError { DeskError(.refused, what) }
}

/// Links that a customer may be given.
enum Link {
    /// The URL when it is http or https, without credentials or anything that could end it early in a text.
    static func checked(_ url: String) -> String? {
        let lower = url.lowercased()
        guard url.utf8.count <= 4_096, let scheme = ["https://", "http://"].first(where: { lower.hasPrefix($0) }) else { return nil }
        let rest = url.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !authority.isEmpty, !authority.contains("@"), url.utf8.allSatisfy({ $0 > 32 && $0 < 127 }), !url.contains("\"") else {
            return nil
        }
        return url
    }

    /// A name as one part of a path.
    static func pathPart(_ name: String) -> String {
        // The parts `.` and `..` mean other things in every spelling.
        PercentEncoding.pathPart(name == "." || name == ".." ? "file" : name)
    }

    /// What the link's last part calls the file.
    static func name(of url: String) -> String {
        let path = url.prefix { $0 != "?" && $0 != "#" }
        let parts = path.split(separator: "/").dropFirst(2)
        return parts.last.map { String($0.prefix(200)) } ?? "attachment"
    }
}

extension JSONView {
    /// What names something: a text of 1 to 200 characters without control characters, or a whole number.
    var name: String? {
        if let number = int { return String(number) }
        guard let text = string, (1...200).contains(text.count), text.unicodeScalars.allSatisfy({ $0.value >= 32 && $0.value != 127 })
        else {
            return nil
        }
        return text
    }
}
