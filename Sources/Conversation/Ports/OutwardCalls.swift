/// What goes out on behalf of a worker that may lose its right to act while a call waits for a place, a name or a connection.
package enum OutwardCalls {
    /// Asked right before the first byte of a request is written, on the thread that writes: false lets the request fail as not sent. Nil
    /// where nobody else can act in the caller's place. Calls made by child tasks are bound by it too.
    @TaskLocal package static var mayBegin: (@Sendable () -> Bool)?
}
