import Conversation
import Testing

@testable import Brain

@Suite struct PlaceholderTests {
    private func fill(
        _ template: RequestTemplate, params: [String: Entity] = [:], user: User = Salon.user, schemas: [String: SchemaState] = [:],
        extra: [String: JSONValue] = [:], optional: Set<String> = []
    ) throws -> FilledRequest {
        try RequestFilling.fill(
            template, params: params, user: user, schemas: schemas, definitions: Salon.configuration.schemas, extra: extra,
            optional: optional)
    }

    private func entity(_ name: String, _ value: JSONValue, _ kind: EntityKind = .text, item: JSONValue? = nil) -> Entity {
        Entity(name: name, kind: kind, value: value, raw: "", item: item)
    }

    @Test func aLonePlaceholderKeepsItsJSONType() throws {
        let request = try fill(
            RequestTemplate(
                method: "POST", path: "/", body: ["n": "{count}", "t": "{count} pieces", "price": "{service.price}", "list": ["{count}"]]),
            params: ["count": entity("count", 3, .number), "service": Salon.haircut()])
        #expect(request.body == ["n": 3, "t": "3 pieces", "price": 45, "list": [3]])
    }

    @Test func aMissingValueIsAMissingParameterAndNeverAnEmptyText() {
        for value: JSONValue in [.null, ""] {
            #expect(throws: MissingValues(names: ["name"])) {
                try self.fill(
                    RequestTemplate(method: "POST", path: "/", body: ["name": "{name}"]), params: ["name": self.entity("name", value)])
            }
        }
        #expect(throws: MissingValues(names: ["user.email"])) {
            try self.fill(RequestTemplate(method: "POST", path: "/", body: ["mail": "to {user.email}"]))
        }
        #expect(throws: MissingValues(names: ["id"])) { try self.fill(RequestTemplate(method: "GET", path: "/x/{id}"), optional: ["id"]) }
    }

    @Test func anOptionalValueThatIsMissingLeavesItsMemberOut() throws {
        let request = try fill(
            RequestTemplate(method: "POST", path: "/", query: ["q": "{note}"], body: ["note": "{note}", "text": "say {note}", "kept": 1]),
            optional: ["note"])
        #expect(request.body == ["kept": 1])
        #expect(request.target == "/")
    }

    @Test func pathPartsAndQueriesArePercentEncoded() throws {
        let request = try fill(
            RequestTemplate(method: "GET", path: "/a/{name}/b", query: ["q": "{name}", "fixed": "x y"]),
            params: ["name": entity("name", "../é ?#&=%2F")])
        #expect(request.target == "/a/..%2F%C3%A9%20%3F%23%26%3D%252F/b?fixed=x%20y&q=..%2F%C3%A9%20%3F%23%26%3D%252F")
    }

    @Test(arguments: [".", ".."])
    func aPathPartOfDotsDoesNotClimb(_ value: String) {
        #expect(throws: MissingValues(names: ["name"])) {
            try self.fill(RequestTemplate(method: "GET", path: "/a/{name}"), params: ["name": self.entity("name", .string(value))])
        }
    }

    @Test func valuesAreNeverReadAgainForPlaceholders() throws {
        let request = try fill(
            RequestTemplate(method: "POST", path: "/", body: ["note": "{note}", "more": "({note})"]),
            params: ["note": entity("note", "{user.phone}")])
        #expect(request.body == ["note": "{user.phone}", "more": "({user.phone})"])
    }

    @Test func onlyTheProvedCustomerIsTheCustomer() throws {
        let forged = [
            "user": entity("user", "someone", .choice, item: ["id": "victim", "phone": "+1999"]), "user.id": entity("user.id", "victim"),
        ]
        let request = try fill(
            RequestTemplate(method: "POST", path: "/{user.id}", body: ["id": "{user.id}", "phone": "{user.phone}", "tier": "{user.tier}"]),
            params: forged, extra: ["user": ["id": "victim"]])
        #expect(request.target == "/\(Salon.user.id)")
        #expect(request.body == ["id": .string(Salon.user.id.description), "phone": "+15550100200", "tier": "verified"])
        var known = Salon.user
        known.identifiers.append(Identifier(kind: .brandUser, value: "c-9"))
        #expect(try fill(RequestTemplate(method: "GET", path: "/{user.id}"), params: forged, user: known).target == "/c-9")
    }

    @Test func schemaValuesAreReachedByKeyAndByPath() throws {
        let state = SchemaState(
            name: "profile", source: .fetched, body: ["phone": "+1", "nested": ["deep": [1, 2]]], fetchedAt: Salon.now)
        let request = try fill(
            RequestTemplate(method: "POST", path: "/", body: ["a": "{profile.phone}", "b": "{profile.nested.deep.1}"]),
            schemas: ["profile": state])
        #expect(request.body == ["a": "+1", "b": 2])
    }

    @Test func bracesThatAreNoPlaceholderStay() throws {
        let text = #"{ "a": {1} {} {a b} {a:nokind} {"#
        #expect(try fill(RequestTemplate(method: "POST", path: "/", body: ["t": .string(text)])).body == ["t": .string(text)])
        #expect(Placeholders.names("{a.b} and {c:money}") == ["a.b", "c"])
    }

    @Test func lookupTemplatesTakeTheKeyAndTheTask() throws {
        let request = try fill(
            RequestTemplate(method: "GET", path: "/calls/{idempotency_key}"), extra: ["idempotency_key": "a/b=", "task_id": "t"])
        #expect(request.target == "/calls/a%2Fb%3D")
    }

    @Test func aSchemaWithoutItsPlaceholderHasNoRequest() throws {
        let profile = try #require(Salon.configuration.schema(named: "profile"))
        #expect(SchemaRequests.target(for: profile, user: Salon.user) == "/customers/%2B15550100200")
        var guest = Salon.user
        guest.identifiers = [Identifier(kind: .bsuid, value: "US.1")]
        #expect(SchemaRequests.target(for: profile, user: guest) == nil)
    }

    @Test func everyCharacterSurvivesThePathUnharmed() throws {
        for scalar in (0..<0x3000 as Range<UInt32>).compactMap(UnicodeScalar.init) {
            let request = try fill(RequestTemplate(method: "GET", path: "/p/{x}"), params: ["x": entity("x", .string("a\(scalar)"))])
            #expect(
                request.target.dropFirst(4).utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") })
        }
    }

    @Test func phrasesFollowLocaleAndZone() throws {
        let moment = try #require(Timestamp("2026-11-24T22:00:00Z"))
        func phrase(_ locale: String, _ zone: String) -> String { Phrases(locale: locale, timeZone: zone, now: Salon.now).datetime(moment) }
        #expect(phrase("en-US", "America/New_York") == "Tue, Nov 24 at 5:00 PM")
        #expect(phrase("en-GB", "Europe/London") == "Tue 24 Nov at 22:00")
        #expect(phrase("en-AU", "Australia/Sydney") == "Wed 25 Nov at 9:00 AM")
        #expect(phrase("de-DE", "Europe/Berlin").contains("23:00"))
        let later = try #require(Timestamp("2027-01-01T04:30:00Z"))
        let phrases = Phrases(locale: "en-US", timeZone: "America/New_York", now: Salon.now)
        #expect(phrases.datetime(later) == "Thu, Dec 31 at 11:30 PM")
        #expect(phrases.date("2027-03-01") == "Mon, Mar 1, 2027")
        #expect(phrases.date("soon") == "soon")
        #expect(phrases.time("00:05") == "12:05 AM")
        #expect(phrases.time("noon") == "noon")
    }

    @Test(
        arguments: [
            (JSONValue.integer(45), "$45"), (.number(25.5), "$25.50"), (.string("12.3"), "$12.30"), (.integer(-3), "-$3"),
            (.object(["amount": 9.99, "currency": "EUR"]), "€9.99"), (.object(["amount": 5, "currency": "XYZ"]), "5 XYZ"),
            (.string("free"), "free"),
        ] as [(JSONValue, String)])
    func moneyIsFormatted(_ value: JSONValue, _ expected: String) {
        #expect(Phrases(locale: "en-US", timeZone: "UTC", now: Salon.now).money(value) == expected)
    }

    @Test func whatARefusalExplains() {
        #expect(RefusalText.detail(from: ["message": "Taken\n  already"]) == "Taken already")
        #expect(RefusalText.detail(from: ["error": ["message": "No"]]) == "No")
        #expect(RefusalText.detail(from: ["errors": [["detail": "First"], ["detail": "Second"]]]) == "First")
        #expect(RefusalText.detail(from: ["detail": "Call 15550100200 or a@b.example"]) == "Call ••• or •••")
        #expect(RefusalText.detail(from: ["message": "At 17:00 on 2026-11-24"]) == "At 17:00 on 2026-11-24")
        #expect(RefusalText.detail(from: ["message": "<html>"]) == nil)
        #expect(RefusalText.detail(from: ["code": 5]) == nil)
        #expect(RefusalText.detail(from: .null) == nil)
        #expect(RefusalText.detail(from: .string(String(repeating: "ab ", count: 400)))?.count == 200)
        #expect(RefusalText.detail(from: ["error": ["error": ["error": ["error": ["error": "deep"]]]]]) == nil)
    }

    @Test func resultsAreMappedAndGapsNoticed() {
        let full = ResultMapping.map(action: Salon.bookService, body: ["id": 42])
        #expect(full.result == ["booking_id": 42])
        #expect(full.complete)
        for body: JSONValue in [.null, [:], ["id": nil], [1], "x"] {
            #expect(!ResultMapping.map(action: Salon.bookService, body: body).complete)
            #expect(ResultMapping.map(action: Salon.bookService, body: body).result.isEmpty)
        }
        #expect(ResultMapping.map(action: Salon.listBookings, body: ["bookings": []]).complete)
        #expect(!ResultMapping.map(action: Salon.listBookings, body: ["bookings": 5]).complete)
    }
}
