// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Path templates and the choice of a method, by table.
#include "proto/http_rule.h"

#include <google/protobuf/descriptor.pb.h>

#include "base/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/options.pb.h"
#include "proto/rest_services.h"
#include "proto/session.pb.h"

namespace fairlead::proto {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const google::protobuf::Descriptor* Request() { return v1::TerminateSessionRequest::descriptor(); }

struct MatchCase {
  const char* name;
  const char* path_template;
  const char* path;
  bool matches;
  std::vector<std::string> values;
};

class PathMatch : public ::testing::TestWithParam<MatchCase> {};

TEST_P(PathMatch, GivesItsVariables) {
  const auto path = PathTemplate::Parse(GetParam().path_template, Request());
  ASSERT_THAT(path, IsOk());

  std::vector<std::string> values;
  const bool matches = path->Match(GetParam().path, &values);

  EXPECT_EQ(matches, GetParam().matches);
  if (matches) {
    EXPECT_EQ(values, GetParam().values);
  }
}

constexpr char kOne[] = "/api/v1/{name=sessions/*}";
constexpr char kVerb[] = "/api/v1/{name=sessions/*}:terminate";
constexpr char kMiddle[] = "/api/v1/{name=sessions/*}/notes";
constexpr char kLiteral[] = "/api/v1/sessions";
constexpr char kLiteralVerb[] = "/api/v1/sessions:watch";
constexpr char kTwo[] = "/v1/{name=a/*/b/*}/{reason}";

INSTANTIATE_TEST_SUITE_P(
    All, PathMatch,
    ::testing::Values(
        // One variable.
        MatchCase{"Plain", kOne, "/api/v1/sessions/42", true, {"sessions/42"}},
        MatchCase{"Decoded", kOne, "/api/v1/sessions/a%20b%c3%A9", true, {"sessions/a b\xc3\xa9"}},
        MatchCase{"PlusStays", kOne, "/api/v1/sessions/a+b", true, {"sessions/a+b"}},
        MatchCase{"LiteralDecoded", kOne, "/api/%761/sessions/4", true, {"sessions/4"}},
        MatchCase{"EmptySegment", kOne, "/api/v1/sessions/", false, {}},
        MatchCase{"TooShort", kOne, "/api/v1/sessions", false, {}},
        MatchCase{"TooLong", kOne, "/api/v1/sessions/42/x", false, {}},
        MatchCase{"TrailingSlash", kOne, "/api/v1/sessions/42/", false, {}},
        MatchCase{"DoubleSlash", kOne, "/api/v1//sessions/42", false, {}},
        MatchCase{"OtherLiteral", kOne, "/api/v1/devices/42", false, {}},
        MatchCase{"Case", kOne, "/api/v1/Sessions/42", false, {}},
        MatchCase{"EncodedSlash", kOne, "/api/v1/sessions/a%2fb", false, {}},
        MatchCase{"EncodedColon", kOne, "/api/v1/sessions/a%3ab", false, {}},
        MatchCase{"Colon", kOne, "/api/v1/sessions/a:b", false, {}},
        MatchCase{"TrailingColon", kOne, "/api/v1/sessions/a:", false, {}},
        MatchCase{"BadPercent", kOne, "/api/v1/sessions/%4", false, {}},
        MatchCase{"BadHex", kOne, "/api/v1/sessions/%zz", false, {}},
        MatchCase{"NoSlash", kOne, "api/v1/sessions/42", false, {}},
        MatchCase{"Empty", kOne, "", false, {}},
        // A suffix.
        MatchCase{"Suffix", kVerb, "/api/v1/sessions/42:terminate", true, {"sessions/42"}},
        MatchCase{"NoSuffix", kVerb, "/api/v1/sessions/42", false, {}},
        MatchCase{"OtherSuffix", kVerb, "/api/v1/sessions/42:watch", false, {}},
        MatchCase{"TwoSuffixes", kVerb, "/api/v1/sessions/42:terminate:terminate", false, {}},
        MatchCase{"SuffixAlone", kVerb, "/api/v1/sessions/:terminate", false, {}},
        MatchCase{"EncodedSuffix", kVerb, "/api/v1/sessions/42%3Aterminate", false, {}},
        MatchCase{"LiteralSuffix", kLiteralVerb, "/api/v1/sessions:watch", true, {}},
        MatchCase{"LiteralNoSuffix", kLiteralVerb, "/api/v1/sessions", false, {}},
        MatchCase{"LiteralOnly", kLiteral, "/api/v1/sessions", true, {}},
        MatchCase{"LiteralPlusSuffix", kLiteral, "/api/v1/sessions:watch", false, {}},
        // A literal behind the variable, and two variables.
        MatchCase{"Middle", kMiddle, "/api/v1/sessions/42/notes", true, {"sessions/42"}},
        MatchCase{"MiddleColon", kMiddle, "/api/v1/sessions/4:2/notes", false, {}},
        MatchCase{"Two", kTwo, "/v1/a/1/b/2/why", true, {"a/1/b/2", "why"}}),
    [](const auto& info) { return info.param.name; });

TEST(PathTemplate, BuildsWhatItMatches) {
  const auto path = PathTemplate::Parse(kVerb, Request());
  ASSERT_THAT(path, IsOk());

  const auto built = path->Build({"sessions/a b%\xc3\xa9"});

  ASSERT_THAT(built, IsOk());
  EXPECT_EQ(*built, "/api/v1/sessions/a%20b%25%C3%A9:terminate");
  std::vector<std::string> values;
  ASSERT_TRUE(path->Match(*built, &values));
  EXPECT_THAT(values, ElementsAre("sessions/a b%\xc3\xa9"));
}

TEST(PathTemplate, RefusesValuesThatDoNotFit) {
  const auto path = PathTemplate::Parse(kOne, Request());
  ASSERT_THAT(path, IsOk());

  for (const char* value : {"", "sessions", "sessions/", "sessions/a/b", "devices/a", "a",
                            "sessions/a:b", "sessions/..", "/sessions/a"}) {
    EXPECT_THAT(path->Build({value}),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr("field name"), HasSubstr("/api/v1/{name=sessions/*}"))))
        << value;
  }
}

TEST(PathTemplate, RefusesBadTemplates) {
  for (const char* text :
       {"", "api", "/api//x", "/api/", "/api/*", "/{name=a/*", "/{nope=a/*}", "/{name=a/*}x",
        "/{name=a:b/*}", "/a}b", "/{}", "/a%20b", "/{name.x=a/*}", "/{name=}"}) {
    EXPECT_THAT(PathTemplate::Parse(text, Request()), StatusIs(absl::StatusCode::kInvalidArgument))
        << text;
  }
  EXPECT_THAT(PathTemplate::Parse("/{timeline=a/*}", v1::Session::descriptor()),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(Percent, DecodesAndEncodes) {
  EXPECT_EQ(*PercentDecode("a%2Fb%00"), std::string("a/b\0", 4));
  EXPECT_THAT(PercentDecode("%"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(PercentDecode("%1"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(PercentDecode("%1g"), StatusIs(absl::StatusCode::kInvalidArgument));
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  EXPECT_EQ(*PercentDecode(PercentEncode(all)), all);
}

class ContractRules : public ::testing::Test {
 protected:
  void SetUp() override {
    auto rules = HttpRules::Create(RestServices());
    ASSERT_THAT(rules, IsOk());
    rules_ = *std::move(rules);
  }
  std::string MethodFor(absl::string_view verb, absl::string_view path) {
    const auto found = rules_.Find(verb, path);
    return found.binding == nullptr ? "" : found.binding->method->name();
  }
  HttpRules rules_;
};

TEST_F(ContractRules, ServeTheContractsPaths) {
  EXPECT_EQ(MethodFor("POST", "/api/v1/login"), "Login");
  EXPECT_EQ(MethodFor("GET", "/api/v1/me"), "GetCaller");
  EXPECT_EQ(MethodFor("GET", "/api/v1/devices"), "ListDevices");
  EXPECT_EQ(MethodFor("GET", "/api/v1/devices/00E0C514325B"), "GetDevice");
  EXPECT_EQ(MethodFor("PATCH", "/api/v1/devices/x/terminalSettings"), "UpdateTerminalSettings");
  EXPECT_EQ(MethodFor("PATCH", "/api/v1/devices/x"), "UpdateDevice");
  EXPECT_EQ(MethodFor("POST", "/api/v1/devices/x:changeTags"), "ChangeDeviceTags");
  EXPECT_EQ(MethodFor("DELETE", "/api/v1/devices/x"), "DeleteDevice");
  EXPECT_EQ(MethodFor("GET", "/api/v1/devices:watch"), "WatchDevices");
  EXPECT_EQ(MethodFor("POST", "/api/v1/devices/x/sessions"), "CreateSession");
  EXPECT_EQ(MethodFor("POST", "/api/v1/sessions/x:terminate"), "TerminateSession");
  EXPECT_EQ(MethodFor("GET", "/api/v1/sessions/x:watch"), "WatchSession");
  EXPECT_EQ(MethodFor("POST", "/api/v1/auditEvents:verify"), "VerifyAuditLog");
}

TEST_F(ContractRules, TellTheAllowedVerbs) {
  const auto wrong_verb = rules_.Find("PUT", "/api/v1/devices/x");
  EXPECT_EQ(wrong_verb.binding, nullptr);
  EXPECT_THAT(wrong_verb.allowed_verbs, ElementsAre("DELETE", "GET", "PATCH"));

  const auto unknown = rules_.Find("GET", "/api/v1/nothing");
  EXPECT_EQ(unknown.binding, nullptr);
  EXPECT_THAT(unknown.allowed_verbs, IsEmpty());
}

TEST_F(ContractRules, FindEveryMethodWithARule) {
  for (const HttpBinding& binding : rules_.bindings()) {
    EXPECT_EQ(rules_.FindMethod(binding.method), &binding);
  }
  EXPECT_EQ(rules_.FindMethod(nullptr), nullptr);
}

// A service of its own with one or two methods, for rules that must be refused.
class BadRules : public ::testing::Test {
 protected:
  absl::Status Compile(const std::vector<std::pair<v1::HttpRule, int>>& methods) {
    google::protobuf::FileDescriptorProto file;
    file.set_name("bad.proto");
    file.set_syntax("proto3");
    auto* message = file.add_message_type();
    message->set_name("M");
    auto* field = message->add_field();
    field->set_name("name");
    field->set_number(1);
    field->set_type(google::protobuf::FieldDescriptorProto::TYPE_STRING);
    field->set_label(google::protobuf::FieldDescriptorProto::LABEL_OPTIONAL);
    auto* service = file.add_service();
    service->set_name("S");
    for (const auto& [rule, streaming] : methods) {
      auto* method = service->add_method();
      method->set_name("M" + std::to_string(service->method_size()));
      method->set_input_type(".M");
      method->set_output_type(".M");
      method->set_client_streaming((streaming & 1) != 0);
      method->set_server_streaming((streaming & 2) != 0);
      *method->mutable_options()->MutableExtension(v1::http) = rule;
    }
    google::protobuf::DescriptorPool pool(google::protobuf::DescriptorPool::generated_pool());
    const auto* built = pool.BuildFile(file);
    return HttpRules::Create({built->service(0)}).status();
  }
  static v1::HttpRule Get(const std::string& path) {
    v1::HttpRule rule;
    rule.set_get(path);
    return rule;
  }
};

TEST_F(BadRules, AreRefused) {
  v1::HttpRule get_with_body = Get("/a");
  get_with_body.set_body("*");
  v1::HttpRule unknown_body;
  unknown_body.set_post("/a");
  unknown_body.set_body("nope");
  v1::HttpRule plain_body = unknown_body;
  plain_body.set_body("name");
  v1::HttpRule post;
  post.set_post("/a");

  const auto bad = StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("S.M"));
  EXPECT_THAT(Compile({{Get("/a"), 0}}), IsOk());
  EXPECT_THAT(Compile({{Get("/a"), 2}}), IsOk());
  EXPECT_THAT(Compile({{v1::HttpRule(), 0}}), bad);
  EXPECT_THAT(Compile({{get_with_body, 0}}), bad);
  EXPECT_THAT(Compile({{unknown_body, 0}}), bad);
  EXPECT_THAT(Compile({{plain_body, 0}}), bad);
  EXPECT_THAT(Compile({{Get("/a"), 1}}), bad);
  EXPECT_THAT(Compile({{post, 2}}), bad);
}

TEST_F(BadRules, CollideWhenSomePathFitsBoth) {
  v1::HttpRule post;
  post.set_post("/a/{name=b/*}");

  EXPECT_THAT(Compile({{Get("/a/{name=b/*}"), 0}, {Get("/a/b/c"), 0}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("share a verb")));
  EXPECT_THAT(Compile({{Get("/a/{name}"), 0}, {Get("/{name}/b"), 0}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("S.M2 and S.M1")));
  EXPECT_THAT(Compile({{Get("/a/{name=b/*}"), 0}, {post, 0}}), IsOk());
  EXPECT_THAT(Compile({{Get("/a/{name=b/*}"), 0}, {Get("/a/{name=b/*}:x"), 0}}), IsOk());
  EXPECT_THAT(Compile({{Get("/a/{name=b/*}"), 0}, {Get("/a/{name=c/*}"), 0}}), IsOk());
}

}  // namespace
}  // namespace fairlead::proto
