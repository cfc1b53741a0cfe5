import Conversation

/// Reply buttons and lists, with the limits that Meta documents for them.
enum GraphInteractive {
    static let mostButtons = 3
    static let mostRows = 10

    /// The options that the customer will see. Throws `FieldError`.
    static func check(_ message: inout StrictObject) throws -> [SentOption] {
        let type = try message.text("type", oneOf: ["button", "list"])
        if var header = try message.optionalObject("header") { try checkHeader(&header, textOnly: type == "list") }
        var body = try message.object("body")
        _ = try body.text("text", max: 1024)
        try body.finish()
        if var footer = try message.optionalObject("footer") {
            _ = try footer.text("text", max: 60)
            try footer.finish()
        }
        var action = try message.object("action")
        let options = type == "button" ? try buttons(&action) : try rows(&action)
        try action.finish()
        let ids = options.map(\.id)
        guard Set(ids).count == ids.count else { throw action.failure(type == "button" ? "buttons" : "sections", "must not repeat an id") }
        return options
    }

    private static func checkHeader(_ header: inout StrictObject, textOnly: Bool) throws {
        let type = try header.text("type", oneOf: textOnly ? ["text"] : ["text", "image", "video", "document"])
        if type == "text" {
            _ = try header.text("text", max: 60)
        } else {
            var media = try header.object(type)
            try GraphContent.checkMedia(&media, type: type)
            try media.finish()
        }
        try header.finish()
    }

    private static func buttons(_ action: inout StrictObject) throws -> [SentOption] {
        let options = try action.list("buttons", count: 1...mostButtons).map { path, value in
            var button = try StrictObject(value, path: path)
            _ = try button.text("type", oneOf: ["reply"])
            var reply = try button.object("reply")
            let option = SentOption(kind: "button_reply", id: try reply.text("id", max: 256), title: try reply.text("title", max: 20))
            try reply.finish()
            try button.finish()
            return option
        }
        guard Set(options.map(\.title)).count == options.count else { throw action.failure("buttons", "must not repeat a title") }
        return options
    }

    private static func rows(_ action: inout StrictObject) throws -> [SentOption] {
        _ = try action.text("button", max: 20)
        let sections = try action.list("sections", count: 1...mostRows)
        let options = try sections.flatMap { path, value in
            var section = try StrictObject(value, path: path)
            let title = try section.optionalText("title", max: 24)
            if title == nil, sections.count > 1 { throw section.failure("title", "is required when there is more than one section") }
            let rows = try section.list("rows", count: 1...mostRows).map(row)
            try section.finish()
            return rows
        }
        guard options.count <= mostRows else { throw action.failure("sections", "must have at most \(mostRows) rows in all") }
        return options
    }

    private static func row(path: String, value: JSONValue) throws -> SentOption {
        var row = try StrictObject(value, path: path)
        let option = SentOption(
            kind: "list_reply", id: try row.text("id", max: 200), title: try row.text("title", max: 24),
            description: try row.optionalText("description", max: 72))
        try row.finish()
        return option
    }
}
