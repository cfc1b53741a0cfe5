import Conversation

/// The kinds of content with few fields.
enum GraphContent {
    static func checkMedia(_ media: inout StrictObject, type: String) throws {
        let id = try media.optionalText("id", max: 256)
        let link = try media.optionalText("link", max: 2048)
        switch (id, link) {
        case (nil, nil): throw media.failure("id", "is required, or link")
        case (_?, _?): throw media.failure("link", "must not stand beside id")
        case (_?, nil): break
        case (nil, let link?):
            guard link.hasPrefix("https://") || link.hasPrefix("http://") else { throw media.failure("link", "must be an HTTP address") }
        }
        if ["image", "video", "document"].contains(type) { _ = try media.optionalText("caption", max: 1024) }
        if type == "document" { _ = try media.optionalText("filename", max: 240) }
        if type == "audio" { _ = try media.optionalBool("voice") }
    }

    static func checkLocation(_ place: inout StrictObject) throws {
        _ = try place.number("latitude", in: -90...90)
        _ = try place.number("longitude", in: -180...180)
        _ = try place.optionalText("name", max: 1000)
        _ = try place.optionalText("address", max: 1000)
    }

    static func checkContacts(_ cards: [(path: String, value: JSONValue)]) throws {
        for (path, value) in cards {
            var card = try StrictObject(value, path: path)
            var name = try card.object("name")
            _ = try name.text("formatted_name")
            for part in ["first_name", "last_name", "middle_name", "suffix", "prefix"] { _ = try name.optionalText(part) }
            try name.finish()
            for part in ["addresses", "emails", "phones", "urls"] where card.has(part) {
                for (path, value) in try card.list(part, count: 0...100) { _ = try StrictObject(value, path: path) }
            }
            _ = try card.optionalObject("org")
            _ = try card.optionalText("birthday")
            try card.finish()
        }
    }
}

/// Templates: their approval is taken for granted, their form is not.
enum GraphTemplate {
    static func check(_ template: inout StrictObject) throws {
        let name = try template.text("name", max: 512)
        guard name.wholeMatch(of: /[a-z0-9_]+/) != nil else {
            throw template.failure("name", "may have lower-case letters, digits and underscores only")
        }
        var language = try template.object("language")
        let code = try language.text("code")
        guard code.wholeMatch(of: /[a-z]{2,3}(_[A-Za-z]{2,4})?/) != nil else {
            throw language.failure("code", "must be a language such as en or en_US")
        }
        if language.has("policy") { _ = try language.text("policy", oneOf: ["deterministic"]) }
        try language.finish()
        guard template.has("components") else { return }
        for (path, value) in try template.list("components", count: 0...13) { try checkComponent(value, path: path) }
    }

    private static func checkComponent(_ value: JSONValue, path: String) throws {
        var component = try StrictObject(value, path: path)
        let type = try component.text("type", oneOf: ["header", "body", "button"], ignoringCase: true)
        if type == "button" {
            _ = try component.text("sub_type", oneOf: ["quick_reply", "url", "catalog", "flow", "copy_code"], ignoringCase: true)
            let index = try component.required("index")
            guard let number = index.integer ?? index.string.flatMap({ Int64($0) }), (0...9).contains(number) else {
                throw component.failure("index", "must be from 0 to 9")
            }
        }
        if component.has("parameters") || type != "header" {
            for (path, value) in try component.list("parameters", count: 0...100) { try checkParameter(value, path: path) }
        }
        try component.finish()
    }

    private static func checkParameter(_ value: JSONValue, path: String) throws {
        var parameter = try StrictObject(value, path: path)
        let types = ["text", "payload", "currency", "date_time", "image", "video", "document", "location", "action", "coupon_code"]
        let type = try parameter.text("type", oneOf: types, ignoringCase: true)
        _ = try parameter.optionalText("parameter_name", max: 256)
        if ["text", "payload", "coupon_code"].contains(type) {
            _ = try parameter.text(type, max: 1024)
        } else {
            _ = try parameter.object(type)
        }
        try parameter.finish()
    }
}
