// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See http_stream.h.
#include "dataplane/http_stream.h"

#include <array>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/clock.h"

namespace fairlead::dataplane {
namespace {

constexpr std::size_t kReadBytes = 4 * 1024;

absl::string_view ReasonPhrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 426:
      return "Upgrade Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 499:
      return "Client Closed Request";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return status < 400 ? "OK" : "Error";
  }
}

bool HasNoBody(int status) { return status == 204 || status == 304; }

// A handler's field that could split the response is left out.
bool IsSafeField(absl::string_view name, absl::string_view value) {
  const auto has_control = [](absl::string_view text) {
    return absl::StrContains(text, '\r') || absl::StrContains(text, '\n') ||
           absl::StrContains(text, '\0');
  };
  return !name.empty() && !has_control(name) && !has_control(value);
}

}  // namespace

Deadline CancelAfter(TlsStream& stream, absl::Duration timeout) {
  return Deadline(stream.get_executor(), timeout, [&stream] {
    error_code ignored;
    stream.socket().cancel(ignored);
  });
}

net::awaitable<bool> HttpInput::ReadMore(TlsStream& stream, const Deadline& deadline) {
  if (deadline.passed()) co_return false;
  data_.erase(0, begin_);
  begin_ = 0;
  const std::size_t have = data_.size();
  data_.resize(have + kReadBytes);
  const net::mutable_buffer buffer = net::buffer(data_.data() + have, kReadBytes);
  auto [error, size] = co_await stream.async_read_some(buffer, kToken);
  data_.resize(have + (error ? 0 : size));
  co_return !error;
}

void HttpInput::Shrink() {
  if (!bytes().empty()) return;
  data_ = std::string();
  begin_ = 0;
}

std::string ResponseHead(const HttpResponse& response, AfterResponse after) {
  std::string head =
      absl::StrCat("HTTP/1.1 ", response.status, " ", ReasonPhrase(response.status), "\r\n");
  for (const auto& [name, value] : response.headers) {
    if (IsSafeField(name, value)) absl::StrAppend(&head, name, ": ", value, "\r\n");
  }
  if (!HasNoBody(response.status)) {
    absl::StrAppend(&head, "Content-Length: ", response.body.size(), "\r\n");
  }
  const std::string date =
      absl::FormatTime("%a, %d %b %E4Y %H:%M:%S GMT", SystemClock().Now(), absl::UTCTimeZone());
  absl::StrAppend(&head, "Date: ", date, "\r\nServer: Fairlead\r\n");
  if (after == AfterResponse::kClose) absl::StrAppend(&head, "Connection: close\r\n");
  absl::StrAppend(&head, "\r\n");
  return head;
}

net::awaitable<bool> WriteResponse(TlsStream& stream, const HttpResponse& response,
                                   AfterResponse after, ResponseBody body, absl::Duration timeout) {
  const std::string head = ResponseHead(response, after);
  absl::string_view rest;
  if (body == ResponseBody::kSent && !HasNoBody(response.status)) rest = response.body;
  // The head and the beginning of the body share a record.
  std::size_t head_written = 0;
  while (head_written < head.size()) {
    const std::array<net::const_buffer, 2> buffers = {
        net::buffer(head.data() + head_written, head.size() - head_written),
        net::buffer(rest.data(), rest.size())};
    const Deadline deadline = CancelAfter(stream, timeout);
    auto [error, size] = co_await stream.async_write_some(buffers, kToken);
    if (error) co_return false;
    const std::size_t of_head = std::min(size, head.size() - head_written);
    head_written += of_head;
    rest.remove_prefix(size - of_head);
  }
  co_return co_await WriteAll(stream, rest, timeout);
}

net::awaitable<bool> WriteAll(TlsStream& stream, absl::string_view bytes, absl::Duration timeout) {
  while (!bytes.empty()) {
    const Deadline deadline = CancelAfter(stream, timeout);
    const net::const_buffer buffer = net::buffer(bytes.data(), bytes.size());
    auto [error, size] = co_await stream.async_write_some(buffer, kToken);
    if (error) co_return false;
    bytes.remove_prefix(size);
  }
  co_return true;
}

}  // namespace fairlead::dataplane
