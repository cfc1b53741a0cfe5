#include "CPhoneNumber.h"

#include <cstring>
#include <string>

#include <phonenumbers/phonenumber.pb.h>
#include <phonenumbers/phonenumbermatch.h>
#include <phonenumbers/phonenumbermatcher.h>
#include <phonenumbers/phonenumberutil.h>

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberMatch;
using i18n::phonenumbers::PhoneNumberMatcher;
using i18n::phonenumbers::PhoneNumberUtil;

namespace {

bool write(const PhoneNumber &number, char *e164) {
    std::string text;
    PhoneNumberUtil::GetInstance()->Format(number, PhoneNumberUtil::E164, &text);
    if (text.empty() || text.size() >= CPHONE_E164_SIZE) return false;
    std::memcpy(e164, text.c_str(), text.size() + 1);
    return true;
}

}  // namespace

bool cphone_parse(const char *text, size_t length, const char *region, char *e164) {
    const auto *util = PhoneNumberUtil::GetInstance();
    PhoneNumber number;
    if (util->Parse(std::string(text, length), region, &number) != PhoneNumberUtil::NO_PARSING_ERROR) return false;
    return util->IsValidNumber(number) && write(number, e164);
}

int cphone_find(const char *text, size_t length, const char *region, cphone_match *matches, int capacity) {
    const auto *util = PhoneNumberUtil::GetInstance();
    const std::string copy(text, length);
    // The library gives up after this many candidates, which bounds the work on hostile text.
    PhoneNumberMatcher matcher(*util, copy, region, PhoneNumberMatcher::VALID, 32);
    int count = 0;
    PhoneNumberMatch match;
    while (count < capacity && matcher.HasNext()) {
        if (!matcher.Next(&match)) break;
        cphone_match &slot = matches[count];
        if (!write(match.number(), slot.e164)) continue;
        // The library counts in code points while the text is bytes, so positions are recovered from the matched words themselves.
        const std::string raw = match.raw_string();
        const size_t from = count == 0 ? 0 : matches[count - 1].end;
        const size_t start = copy.find(raw, from);
        if (start == std::string::npos) continue;
        slot.start = start;
        slot.end = start + raw.size();
        count++;
    }
    return count;
}
