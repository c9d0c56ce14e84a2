// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// REST requests through the adapter to a real gRPC server in the same process.
#include "gateway/rest_adapter.h"

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <memory>
#include <string>

#include "base/call_peer.h"
#include "base/status.h"
#include "base/status_matchers.h"
#include "gateway/testing/fake_services.h"
#include "gateway/testing/fakes.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/rest_services.h"

namespace fairlead::gateway {
namespace {

using dataplane::FindHeader;
using dataplane::HttpRequest;
using dataplane::HttpResponse;
using ::testing::HasSubstr;
using ::testing::Not;

const proto::HttpRules& Rules() {
  static const auto* const rules =
      new proto::HttpRules(*proto::HttpRules::Create(proto::RestServices()));
  return *rules;
}

HttpRequest Request(const std::string& method, const std::string& path,
                    const std::string& body = "") {
  HttpRequest request;
  request.method = method;
  const std::size_t question = path.find('?');
  request.path = path.substr(0, question);
  if (question != std::string::npos) request.query = path.substr(question + 1);
  request.body = body;
  if (!body.empty()) request.headers.emplace_back("content-type", "application/json");
  request.peer.address = "192.0.2.7:4711";
  return request;
}

class RestAdapterTest : public ::testing::Test {
 protected:
  RestAdapterTest() {
    grpc::ServerBuilder builder;
    builder.RegisterService(&sessions_);
    server_ = builder.BuildAndStart();
    Start({});
  }
  ~RestAdapterTest() override {
    adapter_.reset();
    server_->Shutdown();
  }

  void Start(RestOptions options) {
    adapter_ = std::make_unique<RestAdapter>(
        Rules(), server_->InProcessChannel(grpc::ChannelArguments()), options);
  }

  HttpResponse Send(HttpRequest request) {
    return Await(io_, adapter_->Handle(std::move(request)));
  }

  FakeSessions sessions_;
  std::unique_ptr<grpc::Server> server_;
  // Outlives the adapter.
  net::io_context io_;
  std::unique_ptr<RestAdapter> adapter_;
};

TEST_F(RestAdapterTest, FillsTheRequestFromPathAndBody) {
  HttpRequest request = Request("POST", "/api/v1/devices/00E0/sessions",
                                R"({"reason":"why","columns":132,"rows":"43"})");
  request.headers.emplace_back("Authorization", "Bearer abc");

  const HttpResponse response = Send(std::move(request));

  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(FindHeader(response.headers, "Content-Type"), "application/json");
  EXPECT_EQ(FindHeader(response.headers, "Cache-Control"), "no-store");
  EXPECT_THAT(response.body, HasSubstr(R"("device":"devices/00E0")"));
  EXPECT_THAT(response.body, HasSubstr(R"("reason":"why 132x43")"));
}

TEST_F(RestAdapterTest, PrintsEnumsByNameLongNumbersAsStringsAndDefaults) {
  const HttpResponse response = Send(Request("POST", "/api/v1/devices/x/sessions"));

  EXPECT_THAT(response.body, HasSubstr(R"("flow":"OS12_DIRECT")"));
  EXPECT_THAT(response.body, HasSubstr(R"("state":"STATE_UNSPECIFIED")"));
  EXPECT_THAT(response.body, HasSubstr(R"("bytesToConsole":"9007199254740993")"));
  EXPECT_THAT(response.body, HasSubstr(R"("timeline":[])"));
  EXPECT_THAT(response.body, Not(HasSubstr("consoleTicket")));
}

TEST_F(RestAdapterTest, PassesTokenAndAddressOnAnInProcessCall) {
  HttpRequest request = Request("GET", "/api/v1/sessions/1");
  request.headers.emplace_back("authorization", "Bearer t0ken");

  EXPECT_EQ(Send(std::move(request)).status, 200);

  EXPECT_TRUE(IsInProcess(sessions_.last().peer)) << sessions_.last().peer;
  EXPECT_EQ(sessions_.last().authorization, "Bearer t0ken");
  EXPECT_EQ(sessions_.last().peer_address, "192.0.2.7:4711");
}

TEST_F(RestAdapterTest, FillsTheRequestFromTheQuery) {
  const HttpResponse response =
      Send(Request("GET", "/api/v1/sessions?pageSize=2&filter=a%20b&page_token=c+d"));

  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, HasSubstr(R"("name":"sessions/1")"));
  EXPECT_THAT(response.body, HasSubstr(R"("nextPageToken":"a b/c d")"));
}

TEST_F(RestAdapterTest, SaysHowLongTheRefusalSaysToWait) {
  for (const auto& [milliseconds, seconds] : {std::pair("0", "1"), std::pair("900", "1"),
                                              std::pair("1000", "1"), std::pair("7200", "8")}) {
    const HttpResponse response =
        Send(Request("GET", std::string("/api/v1/sessions/wait-") + milliseconds));

    EXPECT_EQ(response.status, 429);
    EXPECT_EQ(FindHeader(response.headers, "Retry-After"), seconds) << milliseconds;
    EXPECT_THAT(response.body, HasSubstr("fairlead.v1.RetryInfo"));
  }
}

TEST_F(RestAdapterTest, AnswersEveryCodeWithItsHttpStatus) {
  EXPECT_EQ(Send(Request("GET", "/api/v1/sessions/code-0")).status, 200);
  for (int code = 1; code <= 16; ++code) {
    const std::string name = "code-" + std::to_string(code);

    const HttpResponse response = Send(Request("GET", "/api/v1/sessions/" + name));

    EXPECT_EQ(response.status, HttpStatusFromCode(static_cast<absl::StatusCode>(code)));
    EXPECT_EQ(FindHeader(response.headers, "WWW-Authenticate"), code == 16 ? "Bearer" : "");
    EXPECT_EQ(FindHeader(response.headers, "Retry-After"), code == 8 ? "5" : "");
    EXPECT_EQ(FindHeader(response.headers, "Content-Type"), "application/json");
    EXPECT_EQ(response.body,
              "{\"code\":" + std::to_string(code) + ",\"message\":\"code " + std::to_string(code) +
                  " on sessions/" + name +
                  "\",\"details\":[{\"@type\":\"type.googleapis.com/fairlead.v1.ErrorInfo\","
                  "\"reason\":\"FAKE_REASON\",\"resource\":\"sessions/" +
                  name + "\"}]}");
  }
}

TEST_F(RestAdapterTest, AnswersUnimplementedMethodsWith501) {
  const HttpResponse response = Send(Request("GET", "/api/v1/icgs"));

  EXPECT_EQ(response.status, 501);
  EXPECT_THAT(response.body, HasSubstr("\"code\":12"));
}

TEST_F(RestAdapterTest, EndsASlowCallAtItsDeadline) {
  RestOptions options;
  options.call_timeout = absl::Milliseconds(50);
  Start(options);

  EXPECT_EQ(Send(Request("GET", "/api/v1/sessions/slow")).status, 504);
}

TEST_F(RestAdapterTest, RefusesMoreCallsThanItsBound) {
  RestOptions options;
  options.max_calls = 1;
  Start(options);
  auto slow = Spawn(io_, [](RestAdapter* adapter) -> net::awaitable<void> {
    const HttpResponse response = co_await adapter->Handle(Request("GET", "/api/v1/sessions/slow"));
    EXPECT_EQ(response.status, 499);
  }(adapter_.get()));
  RunUntil(io_, [&] { return sessions_.started == 1; });

  EXPECT_EQ(Send(Request("GET", "/api/v1/sessions/1")).status, 429);

  adapter_->Stop();
  RunUntil(io_, [&] { return *slow; });
  EXPECT_EQ(Send(Request("GET", "/api/v1/sessions/1")).status, 503);
}

TEST_F(RestAdapterTest, ServesManyCallsAtOnce) {
  int ok = 0;
  std::vector<std::shared_ptr<bool>> calls;
  for (int i = 0; i < 200; ++i) {
    calls.push_back(Spawn(io_, [](RestAdapter* adapter, int* count) -> net::awaitable<void> {
      const HttpResponse response = co_await adapter->Handle(Request("GET", "/api/v1/sessions/1"));
      if (response.status == 200) ++*count;
    }(adapter_.get(), &ok)));
  }
  for (const auto& call : calls) RunUntil(io_, [&] { return *call; });

  EXPECT_EQ(ok, 200);
}

struct RefusalCase {
  const char* name;
  const char* method;
  const char* path;
  const char* content_type;
  std::string body;
  int status;
  const char* message;
  const char* header;
  const char* value;
};

class Refusal : public RestAdapterTest, public ::testing::WithParamInterface<RefusalCase> {};

TEST_P(Refusal, IsAnsweredWithASentence) {
  HttpRequest request = Request(GetParam().method, GetParam().path, GetParam().body);
  request.headers.clear();
  request.headers.emplace_back("Content-Type", GetParam().content_type);

  const HttpResponse response = Send(std::move(request));

  EXPECT_EQ(response.status, GetParam().status);
  EXPECT_THAT(response.body, HasSubstr(GetParam().message));
  EXPECT_THAT(response.body, HasSubstr("\"details\":[]"));
  EXPECT_EQ(FindHeader(response.headers, GetParam().header), GetParam().value);
  EXPECT_EQ(sessions_.last().peer, "") << "the service was called";
}

constexpr char kJson[] = "application/json";
constexpr char kCreate[] = "/api/v1/devices/x/sessions";

INSTANTIATE_TEST_SUITE_P(
    All, Refusal,
    ::testing::Values(RefusalCase{"UnknownPath", "GET", "/api/v1/nothing", kJson, "", 404,
                                  "There is no /api/v1/nothing.", "Content-Type", kJson},
                      RefusalCase{"UnknownVerb", "POST", "/api/v1/sessions/x:explode", kJson, "{}",
                                  404, "explode", "", ""},
                      RefusalCase{"WrongMethod", "PUT", "/api/v1/devices/x", kJson, "{}", 405,
                                  "does not take PUT", "Allow", "DELETE, GET, PATCH"},
                      RefusalCase{"Options", "OPTIONS", "/api/v1/devices", kJson, "", 405,
                                  "OPTIONS", "Allow", "GET, POST"},
                      RefusalCase{"Stream", "GET", "/api/v1/sessions/x:watch", kJson, "", 426,
                                  "WebSocket", "Upgrade", "websocket"},
                      RefusalCase{"NoType", "POST", kCreate, "", "{}", 415, "Content-Type", "", ""},
                      RefusalCase{"FormType", "POST", kCreate, "application/x-www-form-urlencoded",
                                  "a=b", 415, "application/json", "", ""},
                      RefusalCase{"BadJson", "POST", kCreate, kJson, "{", 400, "The JSON is wrong",
                                  "", ""},
                      RefusalCase{"UnknownField", "POST", kCreate, kJson, R"({"colour":1})", 400,
                                  R"(no field \"colour\")", "", ""},
                      RefusalCase{"BadParameter", "GET", "/api/v1/sessions?nope=1", kJson, "", 400,
                                  R"(no query parameter \"nope\")", "", ""},
                      RefusalCase{"BodyOfGet", "GET", "/api/v1/sessions", kJson, "{}", 400,
                                  "takes no body", "", ""},
                      RefusalCase{"TooLarge", "POST", kCreate, kJson,
                                  std::string(kMaxRestBodyBytes + 1, ' '), 413, "1 MiB", "", ""}),
    [](const auto& info) { return info.param.name; });

TEST_F(RestAdapterTest, TakesJsonWithACharset) {
  HttpRequest request = Request("POST", kCreate, "{}");
  request.headers[0].second = "Application/JSON; charset=utf-8";

  EXPECT_EQ(Send(std::move(request)).status, 200);
}

TEST_F(RestAdapterTest, RefusesATokenThatIsNoText) {
  for (const std::string& value : {std::string("Bearer \x01"), std::string("Bearer \xc3\xa9"),
                                   "Bearer " + std::string(5000, 'a')}) {
    HttpRequest request = Request("GET", "/api/v1/sessions/1");
    request.headers.emplace_back("Authorization", value);

    const HttpResponse response = Send(std::move(request));

    EXPECT_EQ(response.status, 400);
    EXPECT_THAT(response.body, HasSubstr("Authorization"));
  }
}

}  // namespace
}  // namespace fairlead::gateway
