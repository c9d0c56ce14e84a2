// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See http_connection.h.
#include "dataplane/http_connection.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "dataplane/beast_websocket.h"
#include "dataplane/http_stream.h"
#include "dataplane/request_reader.h"
#include "dataplane/tunnel_accept.h"

namespace fairlead::dataplane {
namespace {

constexpr absl::Duration kShutdownTimeout = absl::Seconds(2);
// For requests that no route serves.
constexpr std::size_t kDefaultMaxBodyBytes = 1 << 20;

absl::StatusCode CodeFor(int http_status) {
  switch (http_status) {
    case 404:
      return absl::StatusCode::kNotFound;
    case 408:
      return absl::StatusCode::kDeadlineExceeded;
    case 500:
      return absl::StatusCode::kInternal;
    case 501:
    case 505:
      return absl::StatusCode::kUnimplemented;
    case 426:
      return absl::StatusCode::kFailedPrecondition;
    default:
      return absl::StatusCode::kInvalidArgument;
  }
}

HttpResponse ResponseTo(const HttpError& error) {
  HttpResponse response =
      ErrorResponse(error.status, absl::Status(CodeFor(error.status), error.message));
  if (error.status == 426) {
    response.headers.emplace_back("Upgrade", "websocket");
    response.headers.emplace_back("Sec-WebSocket-Version", "13");
  }
  return response;
}

HttpError MakeError(int status, std::string message) {
  HttpError error;
  error.status = status;
  error.message = std::move(message);
  return error;
}

HttpError NotFound(const HttpRequest& request) {
  return MakeError(404, absl::StrCat("there is nothing at ", request.path, "; check the URL"));
}

// Answers and ends a connection that nobody waits for any more.
net::awaitable<void> AnswerAndEnd(std::unique_ptr<TlsStream> stream, HttpResponse response,
                                  absl::Duration timeout) {
  const bool written = co_await WriteResponse(*stream, response, AfterResponse::kClose,
                                              ResponseBody::kSent, timeout);
  if (written) co_await stream->Shutdown(kShutdownTimeout);
}

class TlsPendingUpgrade : public PendingUpgrade {
 public:
  TlsPendingUpgrade(std::unique_ptr<TlsStream> stream, const HttpRequest& request,
                    const ListenerLimits& limits)
      : stream_(std::move(stream)),
        peer_(request.peer),
        key_(FindHeader(request.headers, "Sec-WebSocket-Key")),
        offered_(HeaderList(request.headers, "Sec-WebSocket-Protocol")),
        limits_(limits) {}

  ~TlsPendingUpgrade() override {
    if (stream_ == nullptr) return;
    const net::any_io_executor executor = stream_->get_executor();
    net::co_spawn(executor,
                  AnswerAndEnd(std::move(stream_),
                               ResponseTo(MakeError(500,
                                                    "the server could not take the "
                                                    "connection; try again")),
                               limits_.body_timeout),
                  net::detached);
  }

  const std::vector<std::string>& offered_subprotocols() const override { return offered_; }

  void MoveTo(net::any_io_executor executor) override { stream_->MoveTo(std::move(executor)); }

  net::awaitable<absl::StatusOr<std::unique_ptr<WebSocket>>> Accept(
      absl::string_view subprotocol) override {
    return AcceptWebSocket(std::move(stream_), peer_, key_, std::string(subprotocol),
                           limits_.head_timeout);
  }

  std::unique_ptr<TunnelLeg> AcceptTunnel(absl::string_view subprotocol) override {
    return dataplane::AcceptTunnel(std::move(stream_), peer_, key_, subprotocol,
                                   TunnelLegOptions());
  }

  net::awaitable<void> Refuse(HttpResponse response) override {
    return AnswerAndEnd(std::move(stream_), std::move(response), limits_.body_timeout);
  }

 private:
  // Null once answered.
  std::unique_ptr<TlsStream> stream_;
  const PeerInfo peer_;
  const std::string key_;
  const std::vector<std::string> offered_;
  const ListenerLimits limits_;
};

class HttpConnection {
 public:
  HttpConnection(std::unique_ptr<TlsStream> stream, PeerInfo peer, const Router& router,
                 const ListenerLimits& limits)
      : stream_(std::move(stream)), peer_(std::move(peer)), router_(router), limits_(limits) {}

  net::awaitable<void> Serve();

 private:
  enum class Next { kRequest, kEnd };

  // Serves one request.
  net::awaitable<Next> ServeOne();
  // Reads the head. False: there is none, and what there was to answer was answered.
  net::awaitable<bool> ReadHead(RequestReader& reader);
  net::awaitable<bool> AwaitFirstByte(RequestReader& reader);
  // Reads the body; likewise.
  net::awaitable<bool> ReadBody(RequestReader& reader, std::size_t max_bytes);
  net::awaitable<Next> ServeUpgrade(RequestReader& reader, const Route* route);
  net::awaitable<Next> Dispatch(RequestReader& reader, const Route* route);
  net::awaitable<Next> Answer(HttpResponse response, AfterResponse after,
                              ResponseBody body = ResponseBody::kSent);

  void Feed(RequestReader& reader) { input_.Consume(reader.Feed(input_.bytes())); }

  // Null once an upgrade has taken it.
  std::unique_ptr<TlsStream> stream_;
  const PeerInfo peer_;
  const Router& router_;
  const ListenerLimits limits_;
  HttpInput input_;
  bool first_ = true;
};

net::awaitable<void> HttpConnection::Serve() {
  for (;;) {
    const Next next = co_await ServeOne();
    if (next == Next::kEnd) break;
    first_ = false;
  }
  if (stream_ != nullptr) co_await stream_->Shutdown(kShutdownTimeout);
}

net::awaitable<HttpConnection::Next> HttpConnection::ServeOne() {
  RequestReader reader(limits_.max_head_bytes);
  const bool got_head = co_await ReadHead(reader);
  if (!got_head) co_return Next::kEnd;
  HttpRequest& request = reader.request();
  request.peer = peer_;
  const Route* route = router_.Find(request.path);
  if (reader.is_websocket_upgrade()) co_return co_await ServeUpgrade(reader, route);
  const std::size_t max_body = route == nullptr ? kDefaultMaxBodyBytes : route->max_body_bytes;
  const bool got_body = co_await ReadBody(reader, max_body);
  if (!got_body) co_return Next::kEnd;
  co_return co_await Dispatch(reader, route);
}

net::awaitable<bool> HttpConnection::AwaitFirstByte(RequestReader& reader) {
  Feed(reader);
  // A connection that has not asked for anything yet has no longer than for a head.
  const Deadline deadline =
      CancelAfter(*stream_, first_ ? limits_.head_timeout : limits_.idle_timeout);
  while (reader.state() == RequestReader::State::kHead && !reader.started()) {
    input_.Shrink();
    const bool more = co_await input_.ReadMore(*stream_, deadline);
    if (!more) co_return false;
    Feed(reader);
  }
  co_return true;
}

net::awaitable<bool> HttpConnection::ReadHead(RequestReader& reader) {
  const bool begun = co_await AwaitFirstByte(reader);
  if (!begun) co_return false;
  bool late = false;
  {
    const Deadline deadline = CancelAfter(*stream_, limits_.head_timeout);
    while (reader.state() == RequestReader::State::kHead) {
      const bool more = co_await input_.ReadMore(*stream_, deadline);
      late = deadline.passed();
      if (!more && !late) co_return false;
      if (late) break;
      Feed(reader);
    }
  }
  if (reader.state() == RequestReader::State::kHeadDone) co_return true;
  const HttpError error =
      late ? MakeError(408, "the request's head did not arrive in time; send it at once")
           : reader.error();
  co_await Answer(ResponseTo(error), AfterResponse::kClose);
  co_return false;
}

net::awaitable<bool> HttpConnection::ReadBody(RequestReader& reader, std::size_t max_bytes) {
  reader.StartBody(max_bytes);
  Feed(reader);
  if (reader.expects_continue() && reader.state() == RequestReader::State::kBody) {
    const bool written =
        co_await WriteAll(*stream_, "HTTP/1.1 100 Continue\r\n\r\n", limits_.body_timeout);
    if (!written) co_return false;
  }
  bool late = false;
  {
    const Deadline deadline = CancelAfter(*stream_, limits_.body_timeout);
    while (reader.state() == RequestReader::State::kBody && !late) {
      const bool more = co_await input_.ReadMore(*stream_, deadline);
      late = deadline.passed();
      if (!more && !late) co_return false;
      if (more) Feed(reader);
    }
  }
  if (reader.state() == RequestReader::State::kDone) co_return true;
  const HttpError error =
      reader.state() == RequestReader::State::kFailed
          ? reader.error()
          : MakeError(408, "the request's body did not arrive in time; send it at once");
  co_await Answer(ResponseTo(error), AfterResponse::kClose);
  co_return false;
}

net::awaitable<HttpConnection::Next> HttpConnection::ServeUpgrade(RequestReader& reader,
                                                                  const Route* route) {
  HttpRequest& request = reader.request();
  reader.StartBody(0);
  HttpError error;
  error.status = 0;
  // After a handshake nothing may follow before the answer (RFC 6455 section 4.1), and a body's
  // bytes must not be taken for a request.
  const bool framed = reader.state() == RequestReader::State::kDone;
  if (route == nullptr) {
    error = NotFound(request);
  } else if (!route->on_upgrade) {
    error = MakeError(400, absl::StrCat(request.path, " is not a WebSocket; send a plain request"));
  } else {
    error = CheckWebSocketHandshake(request);
    if (error.status == 0 && (!framed || !input_.bytes().empty())) {
      error = MakeError(400, "nothing may follow a WebSocket handshake; wait for its answer");
    }
  }
  if (error.status != 0) {
    const AfterResponse after =
        framed && reader.keep_alive() ? AfterResponse::kKeepAlive : AfterResponse::kClose;
    co_return co_await Answer(ResponseTo(error), after);
  }
  std::unique_ptr<PendingUpgrade> pending =
      std::make_unique<TlsPendingUpgrade>(std::move(stream_), request, limits_);
  HttpRequest handed_over = std::move(request);
  co_await route->on_upgrade(std::move(handed_over), std::move(pending));
  co_return Next::kEnd;
}

net::awaitable<HttpConnection::Next> HttpConnection::Dispatch(RequestReader& reader,
                                                              const Route* route) {
  HttpRequest request = std::move(reader.request());
  const ResponseBody body = request.method == "HEAD" ? ResponseBody::kLeftOut : ResponseBody::kSent;
  const AfterResponse after =
      reader.keep_alive() ? AfterResponse::kKeepAlive : AfterResponse::kClose;
  if (body == ResponseBody::kLeftOut) request.method = "GET";
  HttpResponse response;
  if (reader.body_too_large()) {
    const std::size_t limit = route == nullptr ? kDefaultMaxBodyBytes : route->max_body_bytes;
    response = ResponseTo(MakeError(413, absl::StrCat("the request's body is too large; at most ",
                                                      limit, " bytes are accepted here")));
  } else if (route != nullptr && route->on_request) {
    response = co_await route->on_request(std::move(request));
  } else if (route != nullptr) {
    response = ResponseTo(MakeError(
        426, absl::StrCat(request.path, " is a WebSocket; upgrade the connection to one")));
  } else if (router_.fallback()) {
    response = co_await router_.fallback()(std::move(request));
  } else {
    response = ResponseTo(NotFound(request));
  }
  co_return co_await Answer(std::move(response), after, body);
}

net::awaitable<HttpConnection::Next> HttpConnection::Answer(HttpResponse response,
                                                            AfterResponse after,
                                                            ResponseBody body) {
  const bool written =
      co_await WriteResponse(*stream_, response, after, body, limits_.body_timeout);
  co_return written&& after == AfterResponse::kKeepAlive ? Next::kRequest : Next::kEnd;
}

}  // namespace

net::awaitable<void> ServeHttp(std::unique_ptr<TlsStream> stream, PeerInfo peer,
                               const Router& router, ListenerLimits limits) {
  HttpConnection connection(std::move(stream), std::move(peer), router, limits);
  co_await connection.Serve();
}

}  // namespace fairlead::dataplane
