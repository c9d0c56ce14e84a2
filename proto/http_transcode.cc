// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See http_transcode.h. Values in path and query are parsed as JSON strings, which proto3's mapping
// accepts for every plain type, so that they mean the same there as in a body.
#include "proto/http_transcode.h"

#include <google/protobuf/text_format.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/status.h"

namespace fairlead::proto {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

std::string JsonString(absl::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (byte < 0x20) {
      absl::StrAppend(&out, "\\u00");
      out.push_back(kDigits[byte >> 4]);
      out.push_back(kDigits[byte & 15]);
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
  return out;
}

std::string JsonName(const FieldPath& path) {
  return absl::StrJoin(path, ".", [](std::string* out, const FieldDescriptor* field) {
    absl::StrAppend(out, field->json_name());
  });
}

// The JSON parser's message as the end of a sentence: its first line, without the picture of the
// place, and with the names of types that a REST user knows.
std::string Reason(absl::string_view message) {
  absl::string_view first = message.substr(0, message.find('\n'));
  first = absl::StripSuffix(absl::StripPrefix(first, ": "), ".");
  if (absl::ConsumeSuffix(&first, ": Cannot find field")) {
    // "(fields[0]) bogus" or "nope".
    const std::vector<std::string> parts = absl::StrSplit(first, ") ");
    if (parts.size() == 2) {
      return absl::StrCat("there is no field \"", parts[1], "\" in ",
                          absl::StripPrefix(parts[0], "("));
    }
    return absl::StrCat("there is no field \"", first, "\"");
  }
  return absl::StrReplaceAll(first, {{"type.googleapis.com/fairlead.v1.", ""},
                                     {"TYPE_STRING", "string"},
                                     {"TYPE_BOOL", "boolean"},
                                     {"TYPE_UINT32", "unsigned 32-bit number"},
                                     {"TYPE_INT32", "32-bit number"},
                                     {"TYPE_UINT64", "unsigned 64-bit number"},
                                     {"TYPE_INT64", "64-bit number"},
                                     {"TYPE_BYTES", "base64 bytes"}});
}

// Whether JSON writes the type as one string or number.
bool IsPlain(const FieldDescriptor* field) {
  if (field->is_map()) return false;
  if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return true;
  const std::string& type = field->message_type()->full_name();
  return type == "google.protobuf.Duration" || type == "google.protobuf.Timestamp" ||
         type == "google.protobuf.FieldMask";
}

// Sets, or for a repeated field adds, the value that `text` means.
absl::Status AddText(const FieldPath& path, absl::string_view text, Message* message) {
  std::string json = JsonString(text);
  if (path.back()->is_repeated()) json = absl::StrCat("[", json, "]");
  for (auto field = path.rbegin(); field != path.rend(); ++field) {
    json = absl::StrCat("{\"", (*field)->name(), "\":", json, "}");
  }
  const std::unique_ptr<Message> parsed(message->New());
  FAIRLEAD_RETURN_IF_ERROR(FromJson(json, parsed.get()));
  message->MergeFrom(*parsed);
  return absl::OkStatus();
}

// The message that holds the last field of `path`, or null if it is not set.
const Message* Holder(const Message& message, const FieldPath& path) {
  const Message* holder = &message;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    const Reflection* reflection = holder->GetReflection();
    if (!reflection->HasField(*holder, path[i])) return nullptr;
    holder = &reflection->GetMessage(*holder, path[i]);
  }
  return holder;
}

std::string GetString(const Message& message, const FieldPath& path) {
  const Message* holder = Holder(message, path);
  return holder == nullptr ? "" : holder->GetReflection()->GetString(*holder, path.back());
}

void ClearField(const FieldPath& path, Message* message) {
  for (std::size_t i = 0; i + 1 < path.size(); ++i) {
    if (!message->GetReflection()->HasField(*message, path[i])) return;
    message = message->GetReflection()->MutableMessage(message, path[i]);
  }
  message->GetReflection()->ClearField(message, path.back());
}

absl::Status FillBody(const HttpBinding& binding, absl::string_view body, Message* message) {
  if (absl::StripAsciiWhitespace(body).empty()) return absl::OkStatus();
  switch (binding.body) {
    case HttpBinding::Body::kNone:
      return absl::InvalidArgumentError(
          absl::StrCat(binding.verb, " ", binding.path.text(), " takes no body: send none."));
    case HttpBinding::Body::kWhole:
      return FromJson(body, message);
    case HttpBinding::Body::kField:
      return FromJson(body, message->GetReflection()->MutableMessage(message, binding.body_field));
  }
  return absl::InternalError("unknown kind of body");
}

absl::Status FillPath(const HttpBinding& binding, const std::vector<std::string>& values,
                      Message* message) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const FieldPath& field = binding.path.variables()[i].field;
    const std::string present = GetString(*message, field);
    if (!present.empty() && present != values[i]) {
      return absl::InvalidArgumentError(absl::StrCat("The body's \"", JsonName(field),
                                                     "\" differs from the path, which says \"",
                                                     values[i], "\": leave it out of the body."));
    }
    if (const absl::Status status = AddText(field, values[i], message); !status.ok()) {
      return absl::InvalidArgumentError("The URL's path is not UTF-8 text.");
    }
  }
  return absl::OkStatus();
}

// Whether path or body fill the field already.
bool IsBound(const HttpBinding& binding, const FieldPath& path) {
  if (binding.body == HttpBinding::Body::kWhole) return true;
  if (binding.body == HttpBinding::Body::kField && path[0] == binding.body_field) return true;
  const auto& variables = binding.path.variables();
  return std::any_of(variables.begin(), variables.end(),
                     [&path](const auto& variable) { return variable.field == path; });
}

absl::StatusOr<std::string> DecodeQuery(absl::string_view text) {
  return PercentDecode(absl::StrReplaceAll(text, {{"+", " "}}));
}

absl::StatusOr<FieldPath> QueryField(const HttpBinding& binding, absl::string_view name) {
  absl::StatusOr<FieldPath> path = ResolveField(binding.method->input_type(), name);
  if (path.ok() && !IsBound(binding, *path) && IsPlain(path->back())) return path;
  return absl::InvalidArgumentError(absl::StrCat(binding.verb, " ", binding.path.text(),
                                                 " takes no query parameter \"",
                                                 absl::CHexEscape(name), "\"."));
}

absl::Status FillQuery(const HttpBinding& binding, absl::string_view query, Message* message) {
  std::set<FieldPath> seen;
  for (absl::string_view pair : absl::StrSplit(query, '&', absl::SkipEmpty())) {
    const std::size_t equals = std::min(pair.find('='), pair.size());
    FAIRLEAD_ASSIGN_OR_RETURN(const std::string name, DecodeQuery(pair.substr(0, equals)));
    const absl::string_view encoded = equals < pair.size() ? pair.substr(equals + 1) : "";
    FAIRLEAD_ASSIGN_OR_RETURN(const std::string value, DecodeQuery(encoded));
    FAIRLEAD_ASSIGN_OR_RETURN(const FieldPath path, QueryField(binding, name));
    if (!path.back()->is_repeated() && !seen.insert(path).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("The query parameter \"", name, "\" is given twice: give it once."));
    }
    if (const absl::Status status = AddText(path, value, message); !status.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("The query parameter \"", name, "\" is wrong: ", status.message()));
    }
  }
  return absl::OkStatus();
}

// One value of a plain field; `index` is -1 for a singular one.
std::string PlainText(const Message& message, const FieldDescriptor* field, int index) {
  const Reflection* reflection = message.GetReflection();
  std::string text;
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    text = index < 0 ? reflection->GetString(message, field)
                     : reflection->GetRepeatedString(message, field, index);
    return field->type() == FieldDescriptor::TYPE_BYTES ? absl::Base64Escape(text) : text;
  }
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    const Message& value = index < 0 ? reflection->GetMessage(message, field)
                                     : reflection->GetRepeatedMessage(message, field, index);
    // The mapping of these types to a quoted string cannot fail for a value in range.
    (void)google::protobuf::util::MessageToJsonString(value, &text);
    return text.size() < 2 ? "" : text.substr(1, text.size() - 2);
  }
  google::protobuf::TextFormat::PrintFieldValueToString(message, field, index, &text);
  return text;
}

absl::Status AppendQuery(const Message& message, absl::string_view prefix,
                         std::vector<std::string>* pairs) {
  std::vector<const FieldDescriptor*> fields;
  const Reflection* reflection = message.GetReflection();
  reflection->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const std::string name = absl::StrCat(prefix, field->json_name());
    if (IsPlain(field)) {
      const int count = field->is_repeated() ? reflection->FieldSize(message, field) : 1;
      for (int i = 0; i < count; ++i) {
        const std::string value = PlainText(message, field, field->is_repeated() ? i : -1);
        pairs->push_back(absl::StrCat(PercentEncode(name), "=", PercentEncode(value)));
      }
    } else if (!field->is_repeated()) {
      FAIRLEAD_RETURN_IF_ERROR(
          AppendQuery(reflection->GetMessage(message, field), absl::StrCat(name, "."), pairs));
    } else {
      return absl::InvalidArgumentError(
          absl::StrCat("The field ", name, " cannot be sent in a query."));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> PrintBody(const Message& message) {
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json);
  if (!status.ok()) return absl::InvalidArgumentError(std::string(status.message()));
  return json;
}

}  // namespace

absl::Status FromJson(absl::string_view json, Message* message) {
  const auto status = google::protobuf::util::JsonStringToMessage(
      google::protobuf::StringPiece(json.data(), json.size()), message);
  if (status.ok()) return absl::OkStatus();
  const std::string text(status.message().data(), status.message().size());
  return absl::InvalidArgumentError(absl::StrCat("The JSON is wrong: ", Reason(text), "."));
}

absl::StatusOr<std::string> ToJson(const Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  if (!status.ok()) {
    return absl::InternalError(
        absl::StrCat("The result, a ", message.GetTypeName(), ", cannot be written as JSON."));
  }
  return json;
}

absl::Status FillFromRest(const HttpBinding& binding, const std::vector<std::string>& path_values,
                          absl::string_view query, absl::string_view body, Message* message) {
  FAIRLEAD_RETURN_IF_ERROR(FillBody(binding, body, message));
  FAIRLEAD_RETURN_IF_ERROR(FillPath(binding, path_values, message));
  return FillQuery(binding, query, message);
}

absl::StatusOr<RestRequest> BuildRestRequest(const HttpBinding& binding, const Message& message) {
  RestRequest request;
  request.verb = binding.verb;
  const std::unique_ptr<Message> rest(message.New());
  rest->CopyFrom(message);
  std::vector<std::string> values;
  for (const PathTemplate::Variable& variable : binding.path.variables()) {
    values.push_back(GetString(message, variable.field));
    ClearField(variable.field, rest.get());
  }
  FAIRLEAD_ASSIGN_OR_RETURN(request.path, binding.path.Build(values));
  if (binding.body == HttpBinding::Body::kWhole) {
    FAIRLEAD_ASSIGN_OR_RETURN(request.body, PrintBody(*rest));
    return request;
  }
  if (binding.body == HttpBinding::Body::kField) {
    const Message& field = rest->GetReflection()->GetMessage(*rest, binding.body_field);
    FAIRLEAD_ASSIGN_OR_RETURN(request.body, PrintBody(field));
    rest->GetReflection()->ClearField(rest.get(), binding.body_field);
  }
  std::vector<std::string> pairs;
  FAIRLEAD_RETURN_IF_ERROR(AppendQuery(*rest, "", &pairs));
  request.query = absl::StrJoin(pairs, "&");
  return request;
}

}  // namespace fairlead::proto
