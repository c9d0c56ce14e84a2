// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See request_reader.h.
#include "dataplane/request_reader.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace fairlead::dataplane {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr std::size_t kMaxFields = 100;
constexpr std::size_t kMaxTargetBytes = 8 * 1024;
constexpr std::size_t kWebSocketKeyBytes = 16;

absl::string_view ToAbsl(beast::string_view text) { return {text.data(), text.size()}; }

bool ListHas(const HttpHeaders& headers, absl::string_view name, absl::string_view value) {
  const std::vector<std::string> list = HeaderList(headers, name);
  return std::any_of(list.begin(), list.end(), [value](const std::string& element) {
    return absl::EqualsIgnoreCase(element, value);
  });
}

// Splits an origin-form or absolute-form target. False if it is neither.
bool SplitTarget(absl::string_view target, HttpRequest& request) {
  if (absl::StartsWithIgnoreCase(target, "https://") ||
      absl::StartsWithIgnoreCase(target, "http://")) {
    target.remove_prefix(target.find("//") + 2);
    const std::size_t slash = target.find_first_of("/?");
    if (slash == 0) return false;
    target = slash == absl::string_view::npos ? "/" : target.substr(slash);
  }
  if (!absl::StartsWith(target, "/") || absl::StrContains(target, "#")) return false;
  const std::size_t mark = target.find('?');
  request.path = std::string(target.substr(0, mark));
  if (mark != absl::string_view::npos) request.query = std::string(target.substr(mark + 1));
  return true;
}

HttpError FromParserError(const error_code& code) {
  HttpError result;
  if (code == http::error::header_limit) {
    result.status = 431;
    result.message = "the request's head is too large; send fewer or shorter header fields";
  } else if (code == http::error::bad_version) {
    result.status = 505;
    result.message = "only HTTP/1.0 and HTTP/1.1 are spoken here; use one of them";
  } else {
    result.message =
        absl::StrCat("the request is malformed (", code.message(), "); send well-formed HTTP/1.1");
  }
  return result;
}

}  // namespace

// Fills an HttpRequest from the callbacks of Beast's parser.
class RequestReader::Parser : public http::basic_parser<true> {
 public:
  explicit Parser(std::size_t max_head_bytes) : max_head_bytes_(max_head_bytes) {
    header_limit(static_cast<std::uint32_t>(max_head_bytes));
    body_limit(boost::none);
    eager(false);
  }

  std::size_t Feed(absl::string_view bytes) {
    std::size_t consumed = 0;
    while (state_ == State::kHead || state_ == State::kBody) {
      const std::size_t step = Step(bytes.substr(consumed));
      consumed += step;
      if (step == 0) break;
    }
    return consumed;
  }

  void StartBody(std::size_t max_bytes) {
    max_body_bytes_ = max_bytes;
    const std::uint64_t declared = content_length().value_or(0);
    const bool hopeless = declared > max_bytes + kMaxDroppedBytes;
    if (declared > max_bytes && (expects_continue_ || hopeless)) return FailTooLarge();
    state_ = is_done() ? State::kDone : State::kBody;
  }

  State state_ = State::kHead;
  bool started_ = false;
  bool expects_continue_ = false;
  bool too_large_ = false;
  HttpRequest request_;
  HttpError error_;

  bool has_body() const { return chunked() || content_length().value_or(0) > 0; }

 private:
  // Parses a little of `bytes`; 0 if more is needed or all is done.
  std::size_t Step(absl::string_view bytes) {
    if (bytes.empty()) return 0;
    // RFC 9112 section 2.2: an empty line before a request is skipped.
    if (!started_ && absl::StartsWith(bytes, "\r\n")) return Count(2);
    if (!started_ && bytes == "\r") return 0;
    started_ = true;
    error_code error;
    const std::size_t consumed = put(boost::asio::buffer(bytes.data(), bytes.size()), error);
    if (state_ == State::kHead) {
      Count(consumed);
      const std::size_t waiting = is_header_done() ? 0 : bytes.size() - consumed;
      if (head_bytes_ + waiting > max_head_bytes_) error = http::error::header_limit;
    } else if (error == http::error::need_more && bytes.size() - consumed > max_head_bytes_) {
      // An endless chunk extension or trailer.
      error = http::error::header_limit;
    }
    if (error && error != http::error::need_more) {
      if (state_ != State::kFailed) Fail(FromParserError(error));
      return consumed;
    }
    Advance();
    return consumed;
  }

  std::size_t Count(std::size_t consumed) {
    head_bytes_ += consumed;
    if (head_bytes_ > max_head_bytes_) Fail(FromParserError(http::error::header_limit));
    return consumed;
  }

  void Advance() {
    if (state_ == State::kHead && is_header_done()) {
      state_ = State::kHeadDone;
      CheckHead();
    } else if (state_ == State::kBody && is_done()) {
      state_ = State::kDone;
    }
  }

  void Fail(HttpError error) {
    state_ = State::kFailed;
    error_ = std::move(error);
  }
  void Refuse(int status, absl::string_view message) {
    HttpError error;
    error.status = status;
    error.message = std::string(message);
    Fail(std::move(error));
  }
  void FailTooLarge() {
    Refuse(413, absl::StrCat("the request's body is too large; at most ", max_body_bytes_,
                             " bytes are accepted here"));
  }

  // What Beast's parser lets pass and a strict server must not.
  void CheckHead() {
    const HttpHeaders& headers = request_.headers;
    const auto count = [&headers](absl::string_view name) {
      return std::count_if(headers.begin(), headers.end(), [name](const auto& field) {
        return absl::EqualsIgnoreCase(field.first, name);
      });
    };
    const absl::string_view encoding = FindHeader(headers, "Transfer-Encoding");
    if (count("Transfer-Encoding") > 0) {
      if (version_ < 11 || count("Content-Length") > 0) {
        return Refuse(400, "Transfer-Encoding does not belong here; send Content-Length alone");
      }
      if (count("Transfer-Encoding") > 1 || !absl::EqualsIgnoreCase(encoding, "chunked")) {
        return Refuse(501, "this transfer coding is unknown here; use chunked or Content-Length");
      }
    }
    if (count("Content-Length") > 1) {
      return Refuse(400, "Content-Length occurs more than once; send it once");
    }
    if (count("Host") > 1 || (version_ >= 11 && count("Host") == 0)) {
      return Refuse(400, "the request must have exactly one Host field; send it");
    }
    if (!target_is_good_) {
      return Refuse(400, "the request's target is not a path; send one that begins with /");
    }
    const absl::string_view expect = FindHeader(headers, "Expect");
    if (!expect.empty() && !absl::EqualsIgnoreCase(expect, "100-continue")) {
      return Refuse(417, "only the expectation 100-continue can be met; leave out Expect");
    }
    expects_continue_ = !expect.empty() && version_ >= 11 && has_body();
  }

  std::size_t AddBody(beast::string_view bytes) {
    if (!too_large_ && request_.body.size() + bytes.size() <= max_body_bytes_) {
      absl::StrAppend(&request_.body, ToAbsl(bytes));
      return bytes.size();
    }
    too_large_ = true;
    request_.body.clear();
    dropped_ += bytes.size();
    if (dropped_ > max_body_bytes_ + kMaxDroppedBytes) FailTooLarge();
    return bytes.size();
  }

  void on_request_impl(http::verb /*method*/, beast::string_view method, beast::string_view target,
                       int version, error_code& error) override {
    request_.method = std::string(ToAbsl(method));
    version_ = version;
    if (target.size() > kMaxTargetBytes) {
      error = http::error::header_limit;
      return Refuse(414, "the request's target is too long; shorten it");
    }
    target_is_good_ = SplitTarget(ToAbsl(target), request_);
  }
  void on_response_impl(int, beast::string_view, int, error_code&) override {}
  void on_field_impl(http::field /*field*/, beast::string_view name, beast::string_view value,
                     error_code& error) override {
    // Trailers are of no use to anybody here.
    if (state_ != State::kHead) return;
    if (request_.headers.size() >= kMaxFields) {
      error = http::error::header_limit;
      return;
    }
    request_.headers.emplace_back(std::string(ToAbsl(name)), std::string(ToAbsl(value)));
  }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(beast::string_view bytes, error_code&) override {
    return AddBody(bytes);
  }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view bytes, error_code&) override {
    return AddBody(bytes);
  }
  void on_finish_impl(error_code&) override {}

  const std::size_t max_head_bytes_;
  std::size_t head_bytes_ = 0;
  std::size_t max_body_bytes_ = 0;
  std::uint64_t dropped_ = 0;
  int version_ = 11;
  bool target_is_good_ = false;
};

RequestReader::RequestReader(std::size_t max_head_bytes)
    : parser_(std::make_unique<Parser>(max_head_bytes)) {}

RequestReader::~RequestReader() = default;

std::size_t RequestReader::Feed(absl::string_view bytes) { return parser_->Feed(bytes); }

RequestReader::State RequestReader::state() const { return parser_->state_; }

bool RequestReader::started() const { return parser_->started_; }

const HttpError& RequestReader::error() const { return parser_->error_; }

HttpRequest& RequestReader::request() { return parser_->request_; }

bool RequestReader::keep_alive() const { return parser_->keep_alive(); }

bool RequestReader::expects_continue() const { return parser_->expects_continue_; }

bool RequestReader::has_body() const { return parser_->has_body(); }

bool RequestReader::is_websocket_upgrade() const {
  const HttpHeaders& headers = parser_->request_.headers;
  return ListHas(headers, "Connection", "upgrade") && ListHas(headers, "Upgrade", "websocket");
}

void RequestReader::StartBody(std::size_t max_bytes) { parser_->StartBody(max_bytes); }

bool RequestReader::body_too_large() const { return parser_->too_large_; }

HttpError CheckWebSocketHandshake(const HttpRequest& request) {
  HttpError error;
  const absl::string_view key = FindHeader(request.headers, "Sec-WebSocket-Key");
  std::string key_bytes;
  if (request.method != "GET") {
    error.message = "a WebSocket handshake must be a GET request; send one";
  } else if (FindHeader(request.headers, "Sec-WebSocket-Version") != "13") {
    error.status = 426;
    error.message = "only version 13 of the WebSocket protocol is spoken here; use it";
  } else if (!absl::Base64Unescape(key, &key_bytes) || key_bytes.size() != kWebSocketKeyBytes) {
    error.message = "Sec-WebSocket-Key must be 16 bytes in base64; send it";
  } else {
    error.status = 0;
  }
  return error;
}

std::vector<std::string> HeaderList(const HttpHeaders& headers, absl::string_view name) {
  std::vector<std::string> list;
  for (const auto& [key, value] : headers) {
    if (!absl::EqualsIgnoreCase(key, name)) continue;
    for (absl::string_view element : absl::StrSplit(value, ',')) {
      element = absl::StripAsciiWhitespace(element);
      if (!element.empty()) list.emplace_back(element);
    }
  }
  return list;
}

}  // namespace fairlead::dataplane
