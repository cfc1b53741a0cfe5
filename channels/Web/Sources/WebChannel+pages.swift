import Conversation

extension WebChannel {
    func widget(_ request: ChannelRequest) async -> ChannelResponse { pages.widget.response(to: request) }

    func chat(_ request: ChannelRequest) async -> ChannelResponse {
        guard let instance = instance(named: request.parameters["instance"]) else { return .problem(404, "There is no such instance") }
        let brand = brands(instance.brand) ?? PageBrand(name: instance.brand.rawValue, locale: "en")
        return pages.chat(instance: instance.id, brand: brand).response(to: request)
    }

    func asset(_ request: ChannelRequest) async -> ChannelResponse {
        guard let file = request.parameters["file"].flatMap({ pages.assets[$0] }) else { return .problem(404, "There is no such file") }
        return file.response(to: request)
    }
}
