import Conversation

/// The widget and the chat page, built into the program.
struct Pages: Sendable {
    let widget = PageFile(PackageResources.widget_js, .script)
    let assets: [String: PageFile] = [
        "chat.css": PageFile(PackageResources.chat_css, .style),
        "chat.js": PageFile(PackageResources.chat_js, .script),
        "composer.js": PageFile(PackageResources.composer_js, .script),
        "connection.js": PageFile(PackageResources.connection_js, .script),
        "content.js": PageFile(PackageResources.content_js, .script),
        "dom.js": PageFile(PackageResources.dom_js, .script),
        "events.js": PageFile(PackageResources.events_js, .script),
        "outbox.js": PageFile(PackageResources.outbox_js, .script),
        "page.js": PageFile(PackageResources.page_js, .script),
        "progress.js": PageFile(PackageResources.progress_js, .script),
        "session.js": PageFile(PackageResources.session_js, .script),
        "storage.js": PageFile(PackageResources.storage_js, .script),
        "strings.js": PageFile(PackageResources.strings_js, .script),
        "times.js": PageFile(PackageResources.times_js, .script),
        "transcript.js": PageFile(PackageResources.transcript_js, .script),
    ]
    private let template = String(decoding: PackageResources.chat_html, as: UTF8.self)

    /// The chat page of an instance. What stands in it is text of attributes and elements, never markup.
    func chat(instance: InstanceID, brand: PageBrand) -> PageFile {
        Self.page(template, ["instance": instance.rawValue, "brand": brand.name, "locale": brand.locale])
    }

    /// Replaces each `{{name}}` by its value, escaped, in one pass: a value that looks like a placeholder stays what it is.
    static func page(_ template: String, _ values: [String: String]) -> PageFile {
        var parts = template.split(separator: "{{", omittingEmptySubsequences: false)
        var page = String(parts.removeFirst())
        for part in parts {
            guard let end = part.firstRange(of: "}}"), let value = values[String(part[..<end.lowerBound])] else {
                page += "{{" + part
                continue
            }
            page += escaped(value) + part[end.upperBound...]
        }
        return PageFile(Array(page.utf8), .page)
    }

    /// For the text of an element and for an attribute in either kind of quotes.
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            case "`": escaped += "&#96;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}

/// What the chat page says of a brand.
package struct PageBrand: Sendable, Hashable {
    /// As customers know it.
    package var name: String
    /// BCP 47.
    package var locale: String

    package init(name: String, locale: String) {
        self.name = name
        self.locale = locale
    }
}

/// Bytes that a browser may keep as long as it asks whether they are still the same.
struct PageFile: Sendable {
    enum Kind: Sendable {
        case script, style, page

        var contentType: String {
            switch self {
            case .script: "text/javascript; charset=utf-8"
            case .style: "text/css; charset=utf-8"
            case .page: "text/html; charset=utf-8"
            }
        }
    }

    let body: [UInt8]
    let kind: Kind
    let etag: String

    init(_ body: [UInt8], _ kind: Kind) {
        self.body = body
        self.kind = kind
        // FNV-1a: it tells versions of our own files apart and defends nothing.
        let hash = body.reduce(UInt64(0xCBF2_9CE4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        etag = "\"" + String(hash, radix: 16) + "-" + String(body.count, radix: 16) + "\""
    }

    func response(to request: ChannelRequest) -> ChannelResponse {
        var headers = ["ETag": etag, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"]
        switch kind {
        case .page:
            headers["Content-Security-Policy"] = Self.policy
            headers["Referrer-Policy"] = "no-referrer"
        case .script, .style:
            // Pages of other origins embed these; they are the same for everybody.
            headers["Access-Control-Allow-Origin"] = "*"
            headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        }
        let isKnown = request.headers("if-none-match").flatMap { $0.split(separator: ",") }.contains { candidate in
            let tag = candidate.drop { $0 == " " }.prefix { $0 != " " }
            return tag == "*" || tag == etag || tag == "W/" + etag
        }
        return ChannelResponse(status: isKnown ? 304 : 200, contentType: kind.contentType, headers: headers, body: isKnown ? [] : body)
    }

    /// Nothing from elsewhere, no inline script or style, no form that leaves the page, and no frame of another origin around it.
    static let policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; "
        + "form-action 'none'; frame-ancestors 'self'"
}
