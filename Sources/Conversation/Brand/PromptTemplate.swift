/// The prompts that the program brings along, by the function they are for, newest last.
package enum PromptTemplate {
    package static let builtIn: [ModelFunction: [String]] = [
        .intent: ["intent_v1"], .deviation: ["intent_v1"], .response: ["response_v1"], .summary: ["summary_v1"],
    ]
}
