// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// HTTP to message and back: every method of the contract round trip, and each way to get it wrong.
#include "proto/http_transcode.h"

#include <google/protobuf/util/message_differencer.h>

#include <memory>

#include "base/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/audit.pb.h"
#include "proto/device.pb.h"
#include "proto/enrollment.pb.h"
#include "proto/rest_services.h"
#include "proto/session.pb.h"

namespace fairlead::proto {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::util::MessageDifferencer;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const HttpRules& Rules() {
  static const HttpRules* const rules = new HttpRules(*HttpRules::Create(RestServices()));
  return *rules;
}

std::unique_ptr<Message> NewMessage(const google::protobuf::Descriptor* type) {
  auto* factory = google::protobuf::MessageFactory::generated_factory();
  return std::unique_ptr<Message>(factory->GetPrototype(type)->New());
}

// Sets every field to something that is not its default, twice where it repeats.
void Fill(Message* message, int depth);

void FillField(const FieldDescriptor* field, Message* message, int depth) {
  const auto* reflection = message->GetReflection();
  const int count = field->is_repeated() ? 2 : 1;
  for (int i = 0; i < count; ++i) {
    const auto set = [&](auto setter, auto adder, auto value) {
      if (field->is_repeated()) {
        (reflection->*adder)(message, field, value);
      } else {
        (reflection->*setter)(message, field, value);
      }
    };
    using R = google::protobuf::Reflection;
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32:
        set(&R::SetInt32, &R::AddInt32, -7 - i);
        break;
      case FieldDescriptor::CPPTYPE_INT64:
        set(&R::SetInt64, &R::AddInt64, std::int64_t{-9007199254740993} - i);
        break;
      case FieldDescriptor::CPPTYPE_UINT32:
        set(&R::SetUInt32, &R::AddUInt32, 4000000000u + static_cast<unsigned>(i));
        break;
      case FieldDescriptor::CPPTYPE_UINT64:
        set(&R::SetUInt64, &R::AddUInt64, std::uint64_t{18446744073709551610u} + i);
        break;
      case FieldDescriptor::CPPTYPE_BOOL:
        set(&R::SetBool, &R::AddBool, true);
        break;
      case FieldDescriptor::CPPTYPE_ENUM:
        set(&R::SetEnumValue, &R::AddEnumValue, 1);
        break;
      case FieldDescriptor::CPPTYPE_STRING:
        set(&R::SetString, &R::AddString, std::string("a+b&c=\"d\" \xc3\xa9%/\n:"));
        break;
      case FieldDescriptor::CPPTYPE_MESSAGE: {
        Message* inner = field->is_repeated() ? reflection->AddMessage(message, field)
                                              : reflection->MutableMessage(message, field);
        if (depth > 0) Fill(inner, depth - 1);
        break;
      }
      default:
        FAIL() << "a type that the contract does not use: " << field->full_name();
    }
  }
}

void Fill(Message* message, int depth) {
  const auto* type = message->GetDescriptor();
  if (type->full_name() == "google.protobuf.Timestamp" ||
      type->full_name() == "google.protobuf.Duration") {
    message->GetReflection()->SetInt64(message, type->FindFieldByName("seconds"), 1700000000);
    message->GetReflection()->SetInt32(message, type->FindFieldByName("nanos"), 500000000);
    return;
  }
  for (int i = 0; i < type->field_count(); ++i) FillField(type->field(i), message, depth);
}

// Gives the path's fields values of their form.
void FillPath(const HttpBinding& binding, Message* message) {
  for (const auto& variable : binding.path.variables()) {
    Message* holder = message;
    for (std::size_t i = 0; i + 1 < variable.field.size(); ++i) {
      holder = holder->GetReflection()->MutableMessage(holder, variable.field[i]);
    }
    const std::string text = binding.path.text();
    const std::size_t equals = text.find('=');
    const std::string collection = text.substr(equals + 1, text.find('/', equals) - equals - 1);
    holder->GetReflection()->SetString(holder, variable.field.back(), collection + "/x y\xc3\xa9");
  }
}

class EveryMethod : public ::testing::TestWithParam<const HttpBinding*> {};

TEST_P(EveryMethod, GoesToHttpAndBack) {
  const HttpBinding& binding = *GetParam();
  const auto message = NewMessage(binding.method->input_type());
  Fill(message.get(), 3);
  FillPath(binding, message.get());

  const auto request = BuildRestRequest(binding, *message);
  ASSERT_THAT(request, IsOk());
  const auto found = Rules().Find(request->verb, request->path);
  ASSERT_EQ(found.binding, &binding) << request->path;
  const auto back = NewMessage(binding.method->input_type());
  ASSERT_THAT(FillFromRest(binding, found.values, request->query, request->body, back.get()),
              IsOk())
      << request->path << "?" << request->query << "\n"
      << request->body;

  EXPECT_TRUE(MessageDifferencer::Equals(*message, *back)) << message->DebugString() << "\n"
                                                           << back->DebugString();
}

TEST_P(EveryMethod, GoesToHttpAndBackWhenAlmostEmpty) {
  const HttpBinding& binding = *GetParam();
  const auto message = NewMessage(binding.method->input_type());
  if (binding.body_field != nullptr) {
    message->GetReflection()->MutableMessage(message.get(), binding.body_field);
  }
  FillPath(binding, message.get());

  const auto request = BuildRestRequest(binding, *message);
  ASSERT_THAT(request, IsOk());
  const auto found = Rules().Find(request->verb, request->path);
  ASSERT_EQ(found.binding, &binding) << request->path;
  const auto back = NewMessage(binding.method->input_type());
  ASSERT_THAT(FillFromRest(binding, found.values, request->query, request->body, back.get()),
              IsOk());

  EXPECT_TRUE(MessageDifferencer::Equals(*message, *back)) << back->DebugString();
}

std::vector<const HttpBinding*> AllBindings() {
  std::vector<const HttpBinding*> all;
  for (const HttpBinding& binding : Rules().bindings()) all.push_back(&binding);
  return all;
}

INSTANTIATE_TEST_SUITE_P(All, EveryMethod, ::testing::ValuesIn(AllBindings()),
                         [](const auto& info) { return info.param->method->name(); });

struct BadCase {
  const char* name;
  const char* verb;
  const char* path;
  const char* query;
  const char* body;
  const char* message;
};

class BadRequest : public ::testing::TestWithParam<BadCase> {};

TEST_P(BadRequest, IsRefusedWithASentenceThatNamesTheFault) {
  const auto found = Rules().Find(GetParam().verb, GetParam().path);
  ASSERT_NE(found.binding, nullptr);
  const auto message = NewMessage(found.binding->method->input_type());

  const absl::Status status =
      FillFromRest(*found.binding, found.values, GetParam().query, GetParam().body, message.get());

  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                               AllOf(HasSubstr(GetParam().message), Not(HasSubstr("\n")))));
}

constexpr char kCreate[] = "/api/v1/devices/x/sessions";

INSTANTIATE_TEST_SUITE_P(
    All, BadRequest,
    ::testing::Values(
        // Bodies.
        BadCase{"UnknownField", "POST", kCreate, "", R"({"colour":1})", "no field \"colour\""},
        BadCase{"UnknownNested", "PATCH", "/api/v1/devices/x", "", R"({"terminal":{"on":true}})",
                "no field \"on\" in terminal"},
        BadCase{"Broken", "POST", kCreate, "", R"({"columns":)", "The JSON is wrong"},
        BadCase{"Array", "POST", kCreate, "", "[]", "The JSON is wrong"},
        BadCase{"WrongType", "POST", kCreate, "", R"({"columns":"wide"})", "columns"},
        BadCase{"Negative", "POST", kCreate, "", R"({"columns":-1})", "columns"},
        BadCase{"NotUtf8", "POST", kCreate, "", "{\"reason\":\"\xff\"}", "UTF-8"},
        BadCase{"Contradiction", "POST", kCreate, "", R"({"device":"devices/y"})",
                "differs from the path"},
        BadCase{"BodyOfGet", "GET", "/api/v1/devices", "", "{}", "takes no body"},
        BadCase{"BodyOfDelete", "DELETE", "/api/v1/devices/x", "", "{}", "takes no body"},
        // Queries.
        BadCase{"UnknownParameter", "GET", "/api/v1/devices", "nope=1", "",
                "no query parameter \"nope\""},
        BadCase{"OfBody", "POST", kCreate, "columns=80", "", "no query parameter \"columns\""},
        BadCase{"OfPath", "GET", "/api/v1/devices/x", "name=devices/y", "",
                "no query parameter \"name\""},
        BadCase{"Twice", "GET", "/api/v1/devices", "pageSize=1&page_size=2", "", "given twice"},
        BadCase{"NotANumber", "GET", "/api/v1/devices", "pageSize=ten", "", "pageSize"},
        BadCase{"BadPercent", "GET", "/api/v1/devices", "filter=%4", "", "hexadecimal"},
        BadCase{"QueryNotUtf8", "GET", "/api/v1/devices", "filter=%ff", "", "filter"},
        BadCase{"PathNotUtf8", "GET", "/api/v1/devices/%ff", "", "", "UTF-8"}),
    [](const auto& info) { return info.param.name; });

template <typename T>
T Parse(absl::string_view verb, absl::string_view path, absl::string_view query,
        absl::string_view body) {
  T message;
  const auto found = Rules().Find(verb, path);
  EXPECT_NE(found.binding, nullptr);
  EXPECT_THAT(FillFromRest(*found.binding, found.values, query, body, &message), IsOk());
  return message;
}

TEST(Fill, TakesBothSpellingsInQueries) {
  const auto camel = Parse<v1::ListDevicesRequest>("GET", "/api/v1/devices",
                                                   "pageSize=5&pageToken=a+b%2B&filter=", "");
  EXPECT_EQ(camel.page_size(), 5);
  EXPECT_EQ(camel.page_token(), "a b+");

  const auto snake = Parse<v1::ListDevicesRequest>("GET", "/api/v1/devices", "&page_size=6&", "");
  EXPECT_EQ(snake.page_size(), 6);
}

TEST(Fill, TakesTheSameNameInPathAndBody) {
  const auto request = Parse<v1::CreateSessionRequest>(
      "POST", kCreate, "", R"({"device":"devices/x","columns":100,"rows":"40"})");
  EXPECT_EQ(request.device(), "devices/x");
  EXPECT_EQ(request.columns(), 100u);
  EXPECT_EQ(request.rows(), 40u);
}

TEST(Fill, TakesAnEmptyBody) {
  EXPECT_EQ(Parse<v1::CreateSessionRequest>("POST", kCreate, "", "").device(), "devices/x");
  EXPECT_EQ(Parse<v1::CreateSessionRequest>("POST", kCreate, "", " \n").device(), "devices/x");
}

TEST(Fill, TellsFalseFromAbsent) {
  const auto request = Parse<v1::UpdateTerminalSettingsRequest>(
      "PATCH", "/api/v1/devices/x/terminalSettings", "", R"({"enabled":false})");
  EXPECT_TRUE(request.terminal_settings().has_enabled());
  EXPECT_FALSE(request.terminal_settings().has_max_sessions());
}

TEST(Json, PrintsPlainFieldsAtTheirDefaultAndLongNumbersAsStrings) {
  v1::Session session;
  session.mutable_end()->set_bytes_to_console(9007199254740993);
  session.mutable_end()->set_exit_code(0);
  session.set_flow(v1::Session::OS12_DIRECT);

  const auto json = ToJson(session);

  ASSERT_THAT(json, IsOk());
  EXPECT_THAT(*json, HasSubstr(R"("bytesToConsole":"9007199254740993")"));
  EXPECT_THAT(*json, HasSubstr(R"("exitCode":0)"));
  EXPECT_THAT(*json, HasSubstr(R"("flow":"OS12_DIRECT")"));
  EXPECT_THAT(*json, HasSubstr(R"("timeline":[])"));
  EXPECT_THAT(*json, HasSubstr(R"("reason":"")"));
  EXPECT_THAT(*json, Not(HasSubstr("consoleTicket")));
  EXPECT_THAT(*json, Not(HasSubstr("signal")));
}

}  // namespace
}  // namespace fairlead::proto
