import Conversation
import Storage

/// Pausing brands: their new work is not taken, while what comes in for them is stored and acknowledged as ever.
extension DeskRoutes {
    var queueRoutes: [APIRoute] {
        [
            APIRoute(method: "GET", path: "/v1/queue", access: .operatorKey, summary: "Brands, and which of them are paused") { _ in
                try await listBrands(allBrands)
            },
            APIRoute(
                method: "POST", path: "/v1/brands/{brand}/pause", access: .operatorKey, summary: "Take no new work of the brand",
                maxBodyBytes: 65_536
            ) { try await pause(brand($0)) },
            APIRoute(
                method: "POST", path: "/v1/brands/{brand}/resume", access: .operatorKey, summary: "Take its work again",
                maxBodyBytes: 65_536
            ) { try await resume(brand($0)) },
        ]
    }

    private func brand(_ request: APIRequest) throws -> BrandID {
        guard let brand = request.parameters["brand"].flatMap({ BrandID(validating: $0) }), allBrands.contains(brand) else {
            throw APIError.notFound
        }
        return brand
    }

    func listBrands(_ brands: [BrandID]) async throws -> ChannelResponse {
        var listed: [JSONValue] = []
        for brand in brands {
            let pausedAt = try await queue.pausedAt(brand)
            listed.append(["brand": .string(brand.rawValue), "paused_at": JSONValue(pausedAt?.description)])
        }
        return .json(["brands": .array(listed)])
    }

    func pause(_ brand: BrandID) async throws -> ChannelResponse {
        let isNew = try await queue.pause(brand)
        return .json(["status": .string(isNew ? "paused" : "paused already")])
    }

    func resume(_ brand: BrandID) async throws -> ChannelResponse {
        let wasPaused = try await queue.resume(brand)
        return .json(["status": .string(wasPaused ? "resumed" : "was not paused")])
    }
}
