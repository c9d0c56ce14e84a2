// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The REST form of services, read from the HTTP rules of their descriptors (proto/options.proto):
// compiled path templates, and which method a verb and path name. Used by the gateway's adapters
// (HTTP to call) and by the console's REST client (call to HTTP). Knows no message by name.
#ifndef FAIRLEAD_PROTO_HTTP_RULE_H_
#define FAIRLEAD_PROTO_HTTP_RULE_H_

#include <google/protobuf/descriptor.h>

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace fairlead::proto {

// A request field, as the fields that lead to it from the request message; the last one is it.
using FieldPath = std::vector<const google::protobuf::FieldDescriptor*>;

// Finds the field that a dotted name means; each part is a proto or a JSON name.
// Errors: NOT_FOUND there is no such field; INVALID_ARGUMENT a part before the last is repeated or
// no message. The message names the part.
absl::StatusOr<FieldPath> ResolveField(const google::protobuf::Descriptor* message,
                                       absl::string_view dotted_name);

// Undoes percent-encoding; '+' stays.
// Errors: INVALID_ARGUMENT a '%' without two hexadecimal digits.
absl::StatusOr<std::string> PercentDecode(absl::string_view text);

// Percent-encodes all but RFC 3986's unreserved characters.
std::string PercentEncode(absl::string_view text);

// A compiled path template such as "/api/v1/{name=sessions/*}:terminate".
class PathTemplate {
 public:
  // Part of a path between slashes: a literal, or one segment of anything.
  struct Segment {
    bool wildcard = false;
    std::string literal;
  };
  // A variable binds the field to the decoded text of segments [begin, end), joined by '/'.
  struct Variable {
    FieldPath field;
    std::size_t begin = 0;
    std::size_t end = 0;
  };

  // Errors: INVALID_ARGUMENT a bad template, or a variable that is no singular string field of
  // `request`.
  static absl::StatusOr<PathTemplate> Parse(absl::string_view text,
                                            const google::protobuf::Descriptor* request);

  const std::vector<Variable>& variables() const { return variables_; }

  // Whether a percent-encoded path fits. If so, `values` gets one decoded text a variable. A
  // wildcard takes one segment that is not empty and in which, decoded, is neither '/' nor ':'.
  bool Match(absl::string_view encoded_path, std::vector<std::string>* values) const;

  // The percent-encoded path with `values` put in, one a variable.
  // Errors: INVALID_ARGUMENT a value does not fit its variable: names the field and its form.
  absl::StatusOr<std::string> Build(const std::vector<std::string>& values) const;

  // Whether some path fits both.
  bool Overlaps(const PathTemplate& other) const;

  // The template as it was parsed.
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::vector<Segment> segments_;
  // Behind the last colon, without it; may be empty.
  std::string suffix_;
  std::vector<Variable> variables_;
};

// One method's REST form.
struct HttpBinding {
  const google::protobuf::MethodDescriptor* method = nullptr;
  // "GET", "PUT", "POST", "DELETE" or "PATCH".
  std::string verb;
  PathTemplate path;
  // The body fills the whole request, one message field of it, or nothing.
  enum class Body { kNone, kWhole, kField };
  Body body = Body::kNone;
  const google::protobuf::FieldDescriptor* body_field = nullptr;
};

// The REST forms of a set of services.
// Thread: any, after construction. Lifetime: the descriptors must outlive it.
class HttpRules {
 public:
  // Errors: INVALID_ARGUMENT a bad rule, or two that overlap: names the methods.
  static absl::StatusOr<HttpRules> Create(
      const std::vector<const google::protobuf::ServiceDescriptor*>& services);

  const std::vector<HttpBinding>& bindings() const { return bindings_; }

  // The form of a method, or null if it has none.
  const HttpBinding* FindMethod(const google::protobuf::MethodDescriptor* method) const;

  // What a request line names.
  struct Found {
    // Null if no method fits verb and path.
    const HttpBinding* binding = nullptr;
    // The decoded texts of binding->path.variables().
    std::vector<std::string> values;
    // Without a binding: the verbs under which the path exists, sorted; none for an unknown path.
    std::vector<std::string> allowed_verbs;
  };
  Found Find(absl::string_view verb, absl::string_view encoded_path) const;

 private:
  std::vector<HttpBinding> bindings_;
};

}  // namespace fairlead::proto

#endif  // FAIRLEAD_PROTO_HTTP_RULE_H_
