import Conversation
import Synchronization
import Testing

@testable import WhatsApp

/// Answers by the beginning of the address, and keeps the calls.
private final class GraphFiles: HTTPClient {
    private let seen = Mutex<[HTTPCall]>([])
    private let description: HTTPResult
    private let file: HTTPResult

    init(_ description: String, status: Int = 200, file: HTTPResult = .answer(HTTPAnswer(status: 200, body: [1, 2, 3]))) {
        self.description = .answer(HTTPAnswer(status: status, body: Array(description.utf8)))
        self.file = file
    }

    var calls: [HTTPCall] { seen.withLock { $0 } }

    func call(_ call: HTTPCall) async -> HTTPResult {
        seen.withLock {
            $0.append(call)
            return $0.count == 1 ? description : file
        }
    }
}

@Suite struct MediaTests {
    private let instance = InstanceConfiguration(
        id: InstanceID(rawValue: "salon-whatsapp"), brand: BrandID(rawValue: "salon"), channel: WhatsAppChannel.name,
        settings: Settings(["app": .text("main"), "phone_number_id": .text("1"), "access_token": .secret(Secret("the-token"))]))
    private static let description = #"{"url":"https://files.test/1","mime_type":"image/png","file_size":3,"id":"600"}"#

    private func outcome(_ id: String = "600", _ files: GraphFiles, limit: Int = 100) async -> MediaError.Outcome? {
        do throws(MediaError) {
            _ = try await WhatsAppChannel.under(http: files).fetch(id, of: instance, limit: limit)
            return nil
        } catch {
            return error.outcome
        }
    }

    @Test func aFileIsFetchedInTwoStepsWithTheBrandsToken() async throws {
        let files = GraphFiles(Self.description)
        let file = try await WhatsAppChannel.under(http: files).fetch("600", of: instance, limit: 100)
        #expect(file.bytes == [1, 2, 3] && file.mimeType == "image/png")
        #expect(files.calls.map(\.url) == ["http://127.0.0.1:8090/graph/v23.0/600", "https://files.test/1"])
        #expect(files.calls.allSatisfy { $0.method == "GET" && $0.headers.contains { $0.value == "Bearer the-token" } })
        #expect(files.calls.last?.maxResponseBytes == 100)
    }

    @Test func whatIsTooLargeIsNotFetched() async {
        let files = GraphFiles(Self.description)
        #expect(await outcome(files, limit: 2) == .tooLarge && files.calls.count == 1)
        let failure = HTTPResult.failed(HTTPFailure(kind: .tooLarge, mayHaveBeenSent: true, detail: "x"))
        #expect(await outcome(GraphFiles(#"{"url":"https://files.test/1"}"#, file: failure)) == .tooLarge, "whatever it says of itself")
    }

    @Test func whatMetaDoesNotKeepAnyMoreIsGone() async {
        #expect(await outcome(GraphFiles(#"{"error":{"code":100}}"#, status: 400)) == .gone)
        #expect(await outcome(GraphFiles(Self.description, file: .answer(HTTPAnswer(status: 404)))) == .gone)
    }

    @Test(arguments: ["../1", "a/b", "", "1?x=1", "1#"]) func anIdThatIsNoneIsNotAsked(_ id: String) async {
        let files = GraphFiles(Self.description)
        #expect(await outcome(id, files) == .gone && files.calls.isEmpty)
    }

    @Test(arguments: ["{}", "no JSON", #"{"url":"ftp://files.test/1"}"#, #"{"url":"file:///etc/passwd"}"#])
    func anAddressThatIsNoneIsNotCalled(_ description: String) async {
        let files = GraphFiles(description)
        #expect(await outcome(files) == .unavailable && files.calls.count == 1)
    }

    @Test func aRedirectIsNotFollowed() async {
        let files = GraphFiles(Self.description, file: .answer(HTTPAnswer(status: 302, headers: [("location", "http://127.0.0.1/")])))
        #expect(await outcome(files) == .unavailable && files.calls.count == 2)
    }
}

extension MediaTests {
    private func outcome(_ files: GraphFiles, limit: Int = 100) async -> MediaError.Outcome? { await outcome("600", files, limit: limit) }
}
