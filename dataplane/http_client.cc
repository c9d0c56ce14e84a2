// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Fetch of client.h.
#include <algorithm>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "dataplane/client.h"
#include "dataplane/http_stream.h"
#include "dataplane/tls_stream.h"

namespace fairlead::dataplane {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr std::uint32_t kMaxHeadBytes = 64 * 1024;
constexpr std::uint64_t kMaxBodyBytes = 8 * 1024 * 1024;
constexpr absl::Duration kShutdownTimeout = absl::Seconds(1);

using Parser = http::response_parser<http::string_body>;

std::string Serialize(const Endpoint& endpoint, const HttpRequest& request) {
  std::string target = request.path.empty() ? endpoint.target : request.path;
  if (!request.query.empty()) absl::StrAppend(&target, "?", request.query);
  std::string text =
      absl::StrCat(request.method, " ", target, " HTTP/1.1\r\nHost: ", HostHeader(endpoint),
                   "\r\nUser-Agent: Fairlead\r\nConnection: close\r\n");
  for (const auto& [name, value] : request.headers) {
    absl::StrAppend(&text, name, ": ", value, "\r\n");
  }
  const bool has_body = !request.body.empty() || request.method == "POST" ||
                        request.method == "PUT" || request.method == "PATCH";
  if (has_body) absl::StrAppend(&text, "Content-Length: ", request.body.size(), "\r\n");
  return absl::StrCat(text, "\r\n", request.body);
}

HttpResponse ToResponse(Parser& parser) {
  HttpResponse response;
  response.status = static_cast<int>(parser.get().result_int());
  for (const auto& field : parser.get()) {
    response.headers.emplace_back(
        std::string(field.name_string().data(), field.name_string().size()),
        std::string(field.value().data(), field.value().size()));
  }
  response.body = std::move(parser.get().body());
  return response;
}

absl::Status ReadError(const Endpoint& endpoint, const error_code& error) {
  if (error == http::error::body_limit || error == http::error::header_limit) {
    return absl::ResourceExhaustedError(absl::StrCat("the response of ", endpoint.host,
                                                     " is larger than ", kMaxBodyBytes,
                                                     " bytes; ask for less"));
  }
  return absl::UnavailableError(absl::StrCat("the connection to ", HostHeader(endpoint),
                                             " was lost before the response was complete (",
                                             error.message(), "); try again"));
}

absl::Status TimedOut(const Endpoint& endpoint, absl::Duration timeout) {
  return absl::DeadlineExceededError(absl::StrCat(HostHeader(endpoint), " did not answer within ",
                                                  absl::FormatDuration(timeout), "; try again"));
}

// Sends `request` and reads the response.
net::awaitable<absl::StatusOr<HttpResponse>> Exchange(TlsStream& stream, const Endpoint& endpoint,
                                                      const HttpRequest& request,
                                                      absl::Duration timeout) {
  const std::string text = Serialize(endpoint, request);
  const Deadline deadline = CancelAfter(stream, timeout);
  // A server that refuses early answers before it has read all: its answer counts, not our write.
  co_await WriteAll(stream, text, timeout);
  if (deadline.passed()) co_return TimedOut(endpoint, timeout);
  Parser parser;
  parser.header_limit(kMaxHeadBytes);
  parser.body_limit(kMaxBodyBytes);
  parser.skip(request.method == "HEAD");
  beast::flat_buffer buffer;
  auto [error, size] = co_await http::async_read(stream, buffer, parser, kToken);
  if (deadline.passed()) co_return TimedOut(endpoint, timeout);
  if (error) co_return ReadError(endpoint, error);
  co_return ToResponse(parser);
}

}  // namespace

net::awaitable<absl::StatusOr<HttpResponse>> Fetch(Endpoint endpoint, DialOptions options,
                                                   HttpRequest request, absl::Duration timeout) {
  const absl::Duration start = SystemClock().Monotonic();
  options.timeout = std::min(options.timeout, timeout);
  auto dialled = co_await DialTls(endpoint, options);
  if (!dialled.ok()) co_return dialled.status();
  const std::unique_ptr<TlsStream> stream = *std::move(dialled);
  const absl::Duration rest = timeout - (SystemClock().Monotonic() - start);
  if (rest <= absl::ZeroDuration()) co_return TimedOut(endpoint, timeout);
  absl::StatusOr<HttpResponse> response = co_await Exchange(*stream, endpoint, request, rest);
  if (response.ok()) co_await stream->Shutdown(kShutdownTimeout);
  co_return response;
}

}  // namespace fairlead::dataplane
