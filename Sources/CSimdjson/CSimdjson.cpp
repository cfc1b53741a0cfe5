#include "CSimdjson.h"

#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <simdjson.h>
#include <string>
#include <string_view>
#include <type_traits>

using simdjson::dom::element;

// simdjson's element and iterators are one reference into the tape; they cross the C boundary by their bytes.
static_assert(sizeof(element) == sizeof(sj_element) && std::is_trivially_copyable<element>::value, "element layout");
static_assert(sizeof(simdjson::dom::array::iterator) == sizeof(sj_element), "array iterator layout");
static_assert(sizeof(simdjson::dom::object::iterator) == sizeof(sj_element), "object iterator layout");

struct sj_document {
    simdjson::dom::document document;
};

namespace {

// A parser grown by one huge body would keep several times its size on every thread.
constexpr size_t kept_capacity = size_t(1) << 20;

template <typename To, typename From>
To same_bytes(const From &from) noexcept {
    static_assert(sizeof(To) == sizeof(From), "same size");
    To to{};
    std::memcpy(static_cast<void *>(&to), static_cast<const void *>(&from), sizeof(To));
    return to;
}

element opened(sj_element place) noexcept { return same_bytes<element>(place); }
sj_element closed(element place) noexcept { return same_bytes<sj_element>(place); }

sj_error classified(simdjson::error_code code) noexcept {
    switch (code) {
    case simdjson::DEPTH_ERROR: return SJ_TOO_DEEP;
    case simdjson::CAPACITY: return SJ_TOO_LARGE;
    case simdjson::NUMBER_ERROR:
    case simdjson::NUMBER_OUT_OF_RANGE: return SJ_NUMBER;
    case simdjson::MEMALLOC: return SJ_NO_MEMORY;
    default: return SJ_MALFORMED;
    }
}

std::unique_ptr<simdjson::dom::parser> &this_threads_parser() noexcept {
    thread_local std::unique_ptr<simdjson::dom::parser> parser;
    return parser;
}

simdjson::error_code parse(const uint8_t *bytes, size_t count, size_t max_depth, simdjson::dom::document &document) noexcept {
    auto &parser = this_threads_parser();
    if (!parser) parser.reset(new (std::nothrow) simdjson::dom::parser());
    if (!parser) return simdjson::MEMALLOC;
    if (parser->capacity() < count || parser->max_depth() != max_depth) {
        size_t capacity = count < 4096 ? 4096 : count;
        if (auto error = parser->allocate(capacity, max_depth)) return error;
    }
    auto error = parser->parse_into_document(document, bytes, count).error();
    if (parser->capacity() > kept_capacity) parser.reset();
    return error;
}

} // namespace

extern "C" {

sj_document *sj_parse(const uint8_t *bytes, size_t count, size_t max_depth, sj_error *error, const char **message) {
    std::unique_ptr<sj_document> document(new (std::nothrow) sj_document());
    auto code = document ? parse(bytes, count, max_depth, document->document) : simdjson::MEMALLOC;
    *error = code == simdjson::SUCCESS ? SJ_OK : classified(code);
    *message = simdjson::error_message(code);
    return code == simdjson::SUCCESS ? document.release() : nullptr;
}

void sj_document_free(sj_document *document) { delete document; }

sj_element sj_root(const sj_document *document) { return closed(document->document.root()); }

sj_kind sj_type(sj_element place) {
    switch (opened(place).type()) {
    case simdjson::dom::element_type::ARRAY: return SJ_ARRAY;
    case simdjson::dom::element_type::OBJECT: return SJ_OBJECT;
    case simdjson::dom::element_type::INT64: return SJ_INT64;
    case simdjson::dom::element_type::UINT64: return SJ_UINT64;
    case simdjson::dom::element_type::DOUBLE: return SJ_DOUBLE;
    case simdjson::dom::element_type::STRING: return SJ_STRING;
    case simdjson::dom::element_type::BOOL: return SJ_BOOL;
    case simdjson::dom::element_type::NULL_VALUE: return SJ_NULL;
    }
    return SJ_NULL;
}

bool sj_bool(sj_element place) {
    bool value = false;
    return opened(place).get(value) == simdjson::SUCCESS && value;
}

int64_t sj_int64(sj_element place) {
    int64_t value = 0;
    return opened(place).get(value) == simdjson::SUCCESS ? value : 0;
}

uint64_t sj_uint64(sj_element place) {
    uint64_t value = 0;
    return opened(place).get(value) == simdjson::SUCCESS ? value : 0;
}

double sj_double(sj_element place) {
    double value = 0;
    return opened(place).get(value) == simdjson::SUCCESS ? value : 0;
}

const char *sj_string(sj_element place, size_t *count) {
    std::string_view text;
    if (opened(place).get(text) != simdjson::SUCCESS) {
        *count = 0;
        return nullptr;
    }
    *count = text.size();
    return text.data();
}

bool sj_member(sj_element place, const uint8_t *key, size_t count, sj_element *value) {
    simdjson::dom::object object;
    element found;
    if (opened(place).get(object) != simdjson::SUCCESS) return false;
    if (object.at_key(std::string_view(reinterpret_cast<const char *>(key), count)).get(found) != simdjson::SUCCESS) return false;
    *value = closed(found);
    return true;
}

bool sj_item(sj_element place, size_t index, sj_element *value) {
    simdjson::dom::array array;
    element found;
    if (opened(place).get(array) != simdjson::SUCCESS) return false;
    if (array.at(index).get(found) != simdjson::SUCCESS) return false;
    *value = closed(found);
    return true;
}

bool sj_children(sj_element place, sj_element *begin, sj_element *end) {
    simdjson::dom::array array;
    if (opened(place).get(array) == simdjson::SUCCESS) {
        *begin = same_bytes<sj_element>(array.begin());
        *end = same_bytes<sj_element>(array.end());
        return true;
    }
    simdjson::dom::object object;
    if (opened(place).get(object) != simdjson::SUCCESS) return false;
    *begin = same_bytes<sj_element>(object.begin());
    *end = same_bytes<sj_element>(object.end());
    return true;
}

sj_element sj_next_item(sj_element cursor) {
    auto iterator = same_bytes<simdjson::dom::array::iterator>(cursor);
    return same_bytes<sj_element>(++iterator);
}

sj_element sj_next_member(sj_element cursor, const char **key, size_t *count, sj_element *value) {
    auto iterator = same_bytes<simdjson::dom::object::iterator>(cursor);
    auto name = iterator.key();
    *key = name.data();
    *count = name.size();
    *value = closed(iterator.value());
    return same_bytes<sj_element>(++iterator);
}

char *sj_minified(sj_element place, size_t *count) {
    *count = 0;
    try {
        std::string text = simdjson::minify(opened(place));
        char *copy = static_cast<char *>(std::malloc(text.size() + 1));
        if (!copy) return nullptr;
        std::memcpy(copy, text.data(), text.size());
        copy[text.size()] = 0;
        *count = text.size();
        return copy;
    } catch (const std::bad_alloc &) {
        return nullptr;
    }
}

void sj_text_free(char *text) { std::free(text); }

bool sj_contains(const uint8_t *bytes, size_t count, const char *needle) {
    return memmem(bytes, count, needle, std::strlen(needle)) != nullptr;
}

} // extern "C"
