// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See http_rule.h.
#include "proto/http_rule.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/status.h"
#include "proto/options.pb.h"

namespace fairlead::proto {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;

const FieldDescriptor* FindField(const Descriptor* message, absl::string_view name) {
  const std::string key(name);
  if (const FieldDescriptor* field = message->FindFieldByName(key)) return field;
  for (int i = 0; i < message->field_count(); ++i) {
    if (message->field(i)->json_name() == key) return message->field(i);
  }
  return nullptr;
}

// Cuts the suffix behind the last segment's colon off `path`.
absl::string_view CutSuffix(absl::string_view* path) {
  const std::size_t slash = path->rfind('/');
  const std::size_t colon = path->rfind(':');
  if (colon == absl::string_view::npos || (slash != absl::string_view::npos && colon < slash)) {
    return {};
  }
  const absl::string_view suffix = path->substr(colon + 1);
  *path = path->substr(0, colon);
  return suffix;
}

absl::Status BadTemplate(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("The path template \"", text, "\" ", why, "."));
}

bool IsWildcardText(absl::string_view text) {
  return !text.empty() && text.find('/') == absl::string_view::npos &&
         text.find(':') == absl::string_view::npos;
}

std::string FieldName(const FieldPath& path) {
  return absl::StrJoin(path, ".", [](std::string* out, const FieldDescriptor* field) {
    absl::StrAppend(out, field->name());
  });
}

// "name=devices/*" gives the field's name and leaves its pattern.
std::pair<absl::string_view, absl::string_view> SplitVariable(absl::string_view inside) {
  const std::size_t equals = inside.find('=');
  if (equals == absl::string_view::npos) return {inside, "*"};
  return {inside.substr(0, equals), inside.substr(equals + 1)};
}

// Verb and template of a rule; an empty verb if there is none.
std::pair<std::string, std::string> Pattern(const v1::HttpRule& rule) {
  switch (rule.pattern_case()) {
    case v1::HttpRule::kGet:
      return {"GET", rule.get()};
    case v1::HttpRule::kPut:
      return {"PUT", rule.put()};
    case v1::HttpRule::kPost:
      return {"POST", rule.post()};
    case v1::HttpRule::kDelete:
      return {"DELETE", rule.delete_()};
    case v1::HttpRule::kPatch:
      return {"PATCH", rule.patch()};
    case v1::HttpRule::PATTERN_NOT_SET:
      break;
  }
  return {};
}

absl::Status SetBody(const v1::HttpRule& rule, HttpBinding* binding) {
  if (rule.body().empty()) return absl::OkStatus();
  if (binding->verb == "GET" || binding->verb == "DELETE") {
    return absl::InvalidArgumentError(absl::StrCat("A ", binding->verb, " has no body."));
  }
  if (rule.body() == "*") {
    binding->body = HttpBinding::Body::kWhole;
    return absl::OkStatus();
  }
  const FieldDescriptor* field = binding->method->input_type()->FindFieldByName(rule.body());
  if (field == nullptr || field->is_repeated() ||
      field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
    return absl::InvalidArgumentError(
        absl::StrCat("The body \"", rule.body(), "\" is no singular message field."));
  }
  binding->body = HttpBinding::Body::kField;
  binding->body_field = field;
  return absl::OkStatus();
}

absl::StatusOr<HttpBinding> Compile(const MethodDescriptor* method) {
  const v1::HttpRule& rule = method->options().GetExtension(v1::http);
  const std::pair<std::string, std::string> pattern = Pattern(rule);
  if (pattern.first.empty()) return absl::InvalidArgumentError("The HTTP rule has no path.");
  if (method->client_streaming()) {
    return absl::InvalidArgumentError("A client-streaming method cannot have an HTTP rule.");
  }
  if (method->server_streaming() && pattern.first != "GET") {
    return absl::InvalidArgumentError("A server-streaming method must be a GET.");
  }
  HttpBinding binding;
  binding.method = method;
  binding.verb = pattern.first;
  FAIRLEAD_ASSIGN_OR_RETURN(binding.path,
                            PathTemplate::Parse(pattern.second, method->input_type()));
  FAIRLEAD_RETURN_IF_ERROR(SetBody(rule, &binding));
  return binding;
}

}  // namespace

absl::StatusOr<FieldPath> ResolveField(const Descriptor* message, absl::string_view dotted_name) {
  FieldPath path;
  for (absl::string_view part : absl::StrSplit(dotted_name, '.')) {
    if (!path.empty()) {
      const FieldDescriptor* parent = path.back();
      if (parent->is_repeated() || parent->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
        return absl::InvalidArgumentError(
            absl::StrCat("the field \"", parent->json_name(), "\" has no fields of its own"));
      }
      message = parent->message_type();
    }
    const FieldDescriptor* field = FindField(message, part);
    if (field == nullptr) {
      return absl::NotFoundError(absl::StrCat("there is no field \"", part, "\""));
    }
    path.push_back(field);
  }
  return path;
}

absl::StatusOr<std::string> PercentDecode(absl::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    if (i + 2 >= text.size() || !absl::ascii_isxdigit(text[i + 1]) ||
        !absl::ascii_isxdigit(text[i + 2])) {
      return absl::InvalidArgumentError(
          "A '%' in the URL is not followed by two hexadecimal digits; write \"%25\" for it.");
    }
    out += absl::HexStringToBytes(text.substr(i + 1, 2));
    i += 2;
  }
  return out;
}

std::string PercentEncode(absl::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || c == '-' || c == '.' || c == '_' || c == '~') {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(kDigits[byte >> 4]);
      out.push_back(kDigits[byte & 15]);
    }
  }
  return out;
}

absl::StatusOr<PathTemplate> PathTemplate::Parse(absl::string_view text,
                                                 const Descriptor* request) {
  PathTemplate result;
  result.text_ = std::string(text);
  absl::string_view rest = text;
  // A colon inside of braces would be part of a pattern, where none is allowed.
  result.suffix_ = std::string(CutSuffix(&rest));
  if (result.suffix_.find('}') != std::string::npos) {
    return BadTemplate(text, "has a colon in a variable");
  }
  if (rest.empty() || rest[0] != '/') return BadTemplate(text, "does not begin with '/'");
  const auto add_segments = [&result](absl::string_view part) {
    for (absl::string_view segment : absl::StrSplit(part, '/')) {
      result.segments_.push_back({segment == "*", std::string(segment)});
    }
  };
  while (!rest.empty()) {
    if (rest[0] != '/') return BadTemplate(text, "lacks a '/' behind a variable");
    rest.remove_prefix(1);
    if (!rest.empty() && rest[0] == '{') {
      const std::size_t close = rest.find('}');
      if (close == absl::string_view::npos) return BadTemplate(text, "lacks a '}'");
      const auto [name, pattern] = SplitVariable(rest.substr(1, close - 1));
      rest.remove_prefix(close + 1);
      absl::StatusOr<FieldPath> field = ResolveField(request, name);
      if (!field.ok()) {
        return BadTemplate(text, absl::StrCat("is wrong: ", field.status().message()));
      }
      if (field->back()->is_repeated() || field->back()->type() != FieldDescriptor::TYPE_STRING) {
        return BadTemplate(text, absl::StrCat("binds ", name, ", which is no single string"));
      }
      Variable variable{*std::move(field), result.segments_.size(), 0};
      add_segments(pattern);
      variable.end = result.segments_.size();
      result.variables_.push_back(std::move(variable));
    } else {
      const std::size_t slash = std::min(rest.find('/'), rest.size());
      if (rest.substr(0, slash) == "*") return BadTemplate(text, "has a '*' outside of a variable");
      add_segments(rest.substr(0, slash));
      rest.remove_prefix(slash);
    }
  }
  for (const Segment& segment : result.segments_) {
    const bool odd = segment.literal.find_first_of("{}%*?#:") != std::string::npos;
    if (segment.literal.empty() || (odd && !segment.wildcard)) {
      return BadTemplate(text, absl::StrCat("has the bad segment \"", segment.literal, "\""));
    }
  }
  return result;
}

bool PathTemplate::Match(absl::string_view encoded_path, std::vector<std::string>* values) const {
  absl::string_view rest = encoded_path;
  if (rest.empty() || rest[0] != '/') return false;
  if (CutSuffix(&rest) != suffix_) return false;
  if (suffix_.empty() && rest.size() != encoded_path.size()) return false;
  rest.remove_prefix(1);
  if (static_cast<std::size_t>(std::count(rest.begin(), rest.end(), '/')) + 1 != segments_.size()) {
    return false;
  }
  std::vector<std::string> decoded;
  for (absl::string_view encoded : absl::StrSplit(rest, '/')) {
    absl::StatusOr<std::string> segment = PercentDecode(encoded);
    if (!segment.ok()) return false;
    const Segment& expected = segments_[decoded.size()];
    if (expected.wildcard ? !IsWildcardText(*segment) : *segment != expected.literal) return false;
    decoded.push_back(*std::move(segment));
  }
  values->clear();
  for (const Variable& variable : variables_) {
    const auto first = decoded.begin();
    values->push_back(absl::StrJoin(first + static_cast<std::ptrdiff_t>(variable.begin),
                                    first + static_cast<std::ptrdiff_t>(variable.end), "/"));
  }
  return true;
}

absl::StatusOr<std::string> PathTemplate::Build(const std::vector<std::string>& values) const {
  std::vector<std::string> segments;
  for (const Segment& segment : segments_) segments.push_back(segment.literal);
  for (std::size_t i = 0; i < variables_.size(); ++i) {
    const Variable& variable = variables_[i];
    const std::vector<std::string> parts = absl::StrSplit(values[i], '/');
    bool fits = parts.size() == variable.end - variable.begin;
    for (std::size_t j = 0; fits && j < parts.size(); ++j) {
      const Segment& segment = segments_[variable.begin + j];
      fits = segment.wildcard ? IsWildcardText(parts[j]) && parts[j] != "." && parts[j] != ".."
                              : parts[j] == segment.literal;
      segments[variable.begin + j] = PercentEncode(parts[j]);
    }
    if (!fits) {
      return absl::InvalidArgumentError(absl::StrCat("The field ", FieldName(variable.field),
                                                     " is \"", absl::CHexEscape(values[i]),
                                                     "\", which does not fit ", text_, "."));
    }
  }
  std::string path = absl::StrCat("/", absl::StrJoin(segments, "/"));
  if (!suffix_.empty()) absl::StrAppend(&path, ":", suffix_);
  return path;
}

bool PathTemplate::Overlaps(const PathTemplate& other) const {
  if (suffix_ != other.suffix_ || segments_.size() != other.segments_.size()) return false;
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    const Segment& a = segments_[i];
    const Segment& b = other.segments_[i];
    if (!a.wildcard && !b.wildcard && a.literal != b.literal) return false;
  }
  return true;
}

absl::StatusOr<HttpRules> HttpRules::Create(const std::vector<const ServiceDescriptor*>& services) {
  HttpRules result;
  for (const ServiceDescriptor* service : services) {
    for (int i = 0; i < service->method_count(); ++i) {
      const MethodDescriptor* method = service->method(i);
      if (!method->options().HasExtension(v1::http)) continue;
      absl::StatusOr<HttpBinding> binding = Compile(method);
      if (!binding.ok()) return Annotate(binding.status(), method->full_name());
      for (const HttpBinding& other : result.bindings_) {
        if (other.verb == binding->verb && other.path.Overlaps(binding->path)) {
          return absl::InvalidArgumentError(
              absl::StrCat(method->full_name(), " and ", other.method->full_name(),
                           " share a verb and a path: change one of their HTTP rules."));
        }
      }
      result.bindings_.push_back(*std::move(binding));
    }
  }
  return result;
}

const HttpBinding* HttpRules::FindMethod(const MethodDescriptor* method) const {
  for (const HttpBinding& binding : bindings_) {
    if (binding.method == method) return &binding;
  }
  return nullptr;
}

HttpRules::Found HttpRules::Find(absl::string_view verb, absl::string_view encoded_path) const {
  Found found;
  std::vector<std::string> values;
  for (const HttpBinding& binding : bindings_) {
    if (!binding.path.Match(encoded_path, &values)) continue;
    if (binding.verb == verb) {
      found.binding = &binding;
      found.values = std::move(values);
      found.allowed_verbs.clear();
      return found;
    }
    found.allowed_verbs.push_back(binding.verb);
  }
  std::sort(found.allowed_verbs.begin(), found.allowed_verbs.end());
  found.allowed_verbs.erase(std::unique(found.allowed_verbs.begin(), found.allowed_verbs.end()),
                            found.allowed_verbs.end());
  return found;
}

}  // namespace fairlead::proto
