import Conversation

/// How a done action is told: the brand's template, a list, or the action's name with its result fields.
struct Completion {
    static let mostLines = 20

    let turn: Turn
    let report: ActionReport
    let action: ActionDefinition

    func text(isComplete: Bool) -> String {
        if let list = action.resultList, let items = report.body.at(pointer: list.path)?.array { return told(items, list) }
        if let custom = custom() { return custom }
        var lines = [heading]
        if action.isWrite { lines[0] += details } else { lines += fields }
        if !isComplete { lines.append(turn.responder.text(["report_completion.incomplete"])) }
        return lines.joined(separator: action.isWrite ? " " : "\n")
    }

    /// The brand's own words, when everything that they mention is there.
    private func custom() -> String? {
        let template = turn.configuration.templates["report_completion.\(action.canonicalName)"]
        let scope = PlaceholderScope(
            user: turn.input.user, params: report.params,
            values: report.result.merging(["display_name": turn.name(action), "result": .object(report.result)]) { own, _ in own })
        guard let (text, missing) = template.map({ scope.text($0, turn.phrases) }), missing.isEmpty else { return nil }
        return text
    }

    private var heading: String {
        turn.responder.text(
            [action.isWrite ? "report_completion" : "report_completion.read"],
            ["display_name": action.isWrite ? turn.name(action) : .string(action.displayName)])
    }

    private var details: String {
        fields.isEmpty ? "" : " " + fields.joined(separator: ", ") + "."
    }

    private var fields: [String] {
        report.result.sorted { $0.key < $1.key }.compactMap { name, value in
            switch value {
            case .null, .array, .object: nil
            case .bool, .integer, .number, .string: "\(Responder.fieldName(name)): \(turn.phrases.text(value, as: nil))"
            }
        }
    }

    /// At most twenty lines; the number of the others is said.
    private func told(_ items: [JSONValue], _ list: ResultList) -> String {
        guard !items.isEmpty else { return list.empty }
        let lines = items.prefix(Self.mostLines).map { item in
            let scope = PlaceholderScope(values: item.object ?? ["item": item], formats: list.formats)
            return "• " + Responder.tidied(scope.text(list.item, turn.phrases).text).trimmingSpaces
        }
        let rest = items.count > Self.mostLines ? ["… (\(items.count - Self.mostLines) more)"] : []
        let opening = turn.configuration.templates["report_completion.\(action.canonicalName)"] == nil ? heading : custom() ?? heading
        return ([opening] + lines + rest).joined(separator: "\n")
    }
}

/// What the undoing of a done call is given.
enum Compensation {
    /// Each parameter from the result by its name or its name with `_id`, a sole parameter also from a result called `id`, else from the
    /// call's own parameters.
    static func params(of undo: ActionDefinition, from report: ActionReport) -> [String: Entity] {
        var params: [String: Entity] = [:]
        for parameter in undo.params {
            let isOnly = undo.params.count == 1
            let names = [parameter.name, parameter.name + "_id", parameter.name + "Id"] + (isOnly ? ["id"] : [])
            if let value = names.lazy.compactMap({ report.result[$0] }).first(where: { !$0.isNull }) {
                let id = parameter.entity == .choice ? JSONValue.string(value.plainText) : value
                params[parameter.name] = Entity(
                    name: parameter.name, kind: parameter.entity, value: id, raw: value.plainText, item: ["id": value], source: .earlier)
            } else if let entity = report.params[parameter.name], entity.isUsable {
                params[parameter.name] = entity
            }
        }
        return params
    }
}
