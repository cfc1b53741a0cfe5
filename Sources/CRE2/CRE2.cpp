#include "CRE2.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include <re2/re2.h>
#include <re2/set.h>

struct cre2_pattern {
    re2::RE2 regex;
    cre2_pattern(const re2::StringPiece &pattern, const re2::RE2::Options &options) : regex(pattern, options) {}
};

struct cre2_set {
    re2::RE2::Set set;
    explicit cre2_set(const re2::RE2::Options &options) : set(options, re2::RE2::UNANCHORED) {}
};

namespace {

re2::RE2::Options options(bool case_sensitive, int64_t memory) {
    re2::RE2::Options result;
    result.set_case_sensitive(case_sensitive);
    result.set_log_errors(false);
    result.set_max_mem(memory);
    return result;
}

void report(const std::string &message, char *error, size_t size) {
    if (error == nullptr || size == 0) return;
    const size_t length = std::min(message.size(), size - 1);
    std::memcpy(error, message.data(), length);
    error[length] = 0;
}

}  // namespace

cre2_pattern *cre2_pattern_new(const char *pattern, size_t length, bool case_sensitive, char *error, size_t error_size) {
    auto *compiled = new cre2_pattern(re2::StringPiece(pattern, length), options(case_sensitive, 8 << 20));
    if (compiled->regex.ok()) return compiled;
    report(compiled->regex.error(), error, error_size);
    delete compiled;
    return nullptr;
}

void cre2_pattern_free(cre2_pattern *pattern) { delete pattern; }

int cre2_pattern_groups(const cre2_pattern *pattern) { return pattern->regex.NumberOfCapturingGroups(); }

bool cre2_pattern_match(
    const cre2_pattern *pattern, const char *text, size_t length, size_t from, bool full, cre2_span *spans, int span_count) {
    std::vector<re2::StringPiece> found(static_cast<size_t>(std::max(span_count, 0)));
    const auto anchor = full ? re2::RE2::ANCHOR_BOTH : re2::RE2::UNANCHORED;
    if (!pattern->regex.Match(re2::StringPiece(text, length), from, length, anchor, found.data(), span_count)) return false;
    for (int index = 0; index < span_count; index++) {
        const auto &piece = found[static_cast<size_t>(index)];
        if (piece.data() == nullptr) {
            spans[index] = {-1, -1};
        } else {
            const ptrdiff_t start = piece.data() - text;
            spans[index] = {start, start + static_cast<ptrdiff_t>(piece.size())};
        }
    }
    return true;
}

cre2_set *cre2_set_new(bool case_sensitive) { return new cre2_set(options(case_sensitive, 64 << 20)); }

int cre2_set_add(cre2_set *set, const char *pattern, size_t length, char *error, size_t error_size) {
    std::string message;
    const int index = set->set.Add(re2::StringPiece(pattern, length), &message);
    if (index < 0) report(message, error, error_size);
    return index;
}

bool cre2_set_compile(cre2_set *set) { return set->set.Compile(); }

void cre2_set_free(cre2_set *set) { delete set; }

int cre2_set_match(const cre2_set *set, const char *text, size_t length, int *indexes, int capacity) {
    std::vector<int> found;
    re2::RE2::Set::ErrorInfo info{re2::RE2::Set::kNoError};
    if (!set->set.Match(re2::StringPiece(text, length), &found, &info)) {
        return info.kind == re2::RE2::Set::kNoError ? 0 : -1;
    }
    const size_t count = std::min(found.size(), static_cast<size_t>(std::max(capacity, 0)));
    std::copy_n(found.begin(), count, indexes);
    return static_cast<int>(found.size());
}
