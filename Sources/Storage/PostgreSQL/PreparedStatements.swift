internal import CPostgres

/// The forms of each statement that one connection has prepared. A form fixes the types of the parameters; a NULL fits every type.
struct PreparedStatements {
    struct Form {
        var name: String
        var types: [Oid]
    }

    private var forms: [[Form]] = []
    private var count = 0

    /// The form for these types, and whether it is yet to be prepared.
    mutating func form(of number: Int, types: [Oid]) -> (form: Form, isNew: Bool) {
        while forms.count <= number { forms.append([]) }
        if let found = forms[number].first(where: { Self.fits(types, $0.types) }) { return (found, false) }
        // What was NULL this time may have had its type another time: so there are soon no new forms.
        var known = types
        for form in forms[number] {
            for (index, type) in form.types.enumerated() where index < known.count && known[index] == PostgreSQLValue.unknown {
                known[index] = type
            }
        }
        count += 1
        let form = Form(name: "s\(number)_\(count)", types: known)
        forms[number].append(form)
        return (form, true)
    }

    /// The server does not have it after all.
    mutating func forget(_ name: String, of number: Int) { forms[number].removeAll { $0.name == name } }

    private static func fits(_ types: [Oid], _ form: [Oid]) -> Bool {
        types.count == form.count && zip(types, form).allSatisfy { $0 == PostgreSQLValue.unknown || $0 == $1 }
    }
}
