// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// WebSockets over real TLS on the loopback interface, and a server with a path for each thing that
// one may meet. Used by the tests of WebSockets.
#ifndef FAIRLEAD_DATAPLANE_TESTING_WEBSOCKET_FIXTURE_H_
#define FAIRLEAD_DATAPLANE_TESTING_WEBSOCKET_FIXTURE_H_

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/status_matchers.h"
#include "dataplane/testing/test_server.h"
#include "dataplane/websocket.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fairlead::dataplane::testing {

// How a served WebSocket ended, for the test to wait for.
struct Ends {
  std::promise<CloseReason> echo;
  std::promise<std::thread::id> moved_to;
  // A WebSocket that nobody reads.
  std::promise<std::unique_ptr<WebSocket>> held;
};

inline net::awaitable<void> Echo(WebSocket* websocket, CloseReason* end) {
  std::string buffer(64 * 1024, '\0');
  const net::mutable_buffer room = net::buffer(buffer);
  for (;;) {
    const ReadResult got = co_await websocket->ReadSome(room);
    if (!got.open) {
      *end = got.close;
      co_return;
    }
    const net::const_buffer data = net::buffer(buffer.data(), got.size);
    const absl::Status status = co_await websocket->WriteSome(data, got.kind, got.fin);
    if (!status.ok()) co_return;
  }
}

// Selects the subprotocol "b" if it is offered.
inline net::awaitable<void> ServeEcho(Ends* ends, HttpRequest request,
                                      std::unique_ptr<PendingUpgrade> pending) {
  request.peer.MarkAuthenticated();
  std::string selected;
  for (const std::string& offered : pending->offered_subprotocols()) {
    if (offered == "b") selected = offered;
  }
  auto accepted = co_await pending->Accept(selected);
  CloseReason end;
  if (accepted.ok()) {
    const std::unique_ptr<WebSocket> websocket = *std::move(accepted);
    co_await Echo(websocket.get(), &end);
  }
  ends->echo.set_value(end);
}

inline net::awaitable<void> ServeClosing(CloseReason reason, HttpRequest /*request*/,
                                         std::unique_ptr<PendingUpgrade> pending) {
  auto accepted = co_await pending->Accept("");
  if (accepted.ok()) co_await (*accepted)->Close(reason);
}

inline net::awaitable<void> ServeRefusing(HttpRequest /*request*/,
                                          std::unique_ptr<PendingUpgrade> pending) {
  HttpResponse response =
      ErrorResponse(absl::PermissionDeniedError("device \"7\" is not yours; ask an administrator"));
  co_await pending->Refuse(std::move(response));
}

inline net::awaitable<void> ServeDropping(HttpRequest /*request*/,
                                          std::unique_ptr<PendingUpgrade> pending) {
  pending.reset();
  co_return;
}

inline net::awaitable<void> ServeOnOtherThread(Ends* ends,
                                               std::unique_ptr<PendingUpgrade> pending) {
  ends->moved_to.set_value(std::this_thread::get_id());
  auto accepted = co_await pending->Accept("");
  CloseReason end;
  if (accepted.ok()) {
    const std::unique_ptr<WebSocket> websocket = *std::move(accepted);
    co_await Echo(websocket.get(), &end);
  }
  ends->echo.set_value(end);
}

inline net::awaitable<void> ServeMoving(Ends* ends, net::any_io_executor target,
                                        HttpRequest /*request*/,
                                        std::unique_ptr<PendingUpgrade> pending) {
  pending->MoveTo(target);
  co_await net::co_spawn(target, ServeOnOtherThread(ends, std::move(pending)), kToken);
}

inline net::awaitable<void> ServeHolding(Ends* ends, HttpRequest /*request*/,
                                         std::unique_ptr<PendingUpgrade> pending) {
  auto accepted = co_await pending->Accept("");
  if (accepted.ok()) ends->held.set_value(*std::move(accepted));
}

class WebSocketFixture : public ::testing::Test {
 protected:
  WebSocketFixture() {
    router_.Add(Upgrade("/echo", [this](HttpRequest request, auto pending) {
      return ServeEcho(&ends_, std::move(request), std::move(pending));
    }));
    router_.Add(Upgrade("/close", [this](HttpRequest request, auto pending) {
      return ServeClosing(server_reason_, std::move(request), std::move(pending));
    }));
    router_.Add(Upgrade("/refuse", ServeRefusing));
    router_.Add(Upgrade("/hold", [this](HttpRequest request, auto pending) {
      return ServeHolding(&ends_, std::move(request), std::move(pending));
    }));
    router_.Add(Upgrade("/drop", ServeDropping));
    router_.Add(Upgrade("/move", [this](HttpRequest request, auto pending) {
      return ServeMoving(&ends_, spare_.executor(0), std::move(request), std::move(pending));
    }));
    server_ = std::make_unique<TestServer>(router_);
  }
  // The server's connections end before the thread that they may have moved to, and that thread
  // before the server's own, which the last of a moved connection still refers to.
  ~WebSocketFixture() override {
    server_->EndConnections();
    spare_.Stop();
    server_.reset();
  }

  static Route Upgrade(std::string path, UpgradeHandler handler) {
    Route route;
    route.pattern = std::move(path);
    route.on_upgrade = std::move(handler);
    return route;
  }

  absl::StatusOr<WebSocketDialResult> Dial(std::string path,
                                           std::vector<std::string> subprotocols = {}) {
    return server_->Run(DialWebSocket(server_->At(std::move(path)), server_->Options(),
                                      std::move(subprotocols), HttpHeaders()));
  }
  // On failure the test ends.
  std::unique_ptr<WebSocket> MustDial(std::string path) {
    auto dialled = Dial(std::move(path));
    if (!dialled.ok()) ADD_FAILURE() << dialled.status();
    return dialled.ok() ? std::move(dialled->websocket) : nullptr;
  }
  // A WebSocket goes on its own thread.
  void Drop(std::unique_ptr<WebSocket> websocket) { server_->Run(Destroy(std::move(websocket))); }
  static net::awaitable<void> Destroy(std::unique_ptr<WebSocket> websocket) {
    websocket.reset();
    co_return;
  }

  static net::awaitable<Message> RoundTrip(WebSocket* websocket, std::string payload,
                                           FrameKind kind) {
    // Writing and reading at once, or both ends would wait for each other with full buffers.
    auto reading = std::make_shared<std::promise<Message>>();
    net::co_spawn(websocket->executor(), ReadInto(websocket, reading), Ignore);
    const net::const_buffer data = net::buffer(payload);
    const absl::Status status = co_await websocket->WriteSome(data, kind, Fin::kLast);
    EXPECT_THAT(status, IsOk());
    co_return co_await Await(reading->get_future());
  }
  static void Ignore(std::exception_ptr) {}
  static net::awaitable<void> ReadInto(WebSocket* websocket,
                                       std::shared_ptr<std::promise<Message>> result) {
    Message message = co_await websocket->ReadMessage();
    result->set_value(std::move(message));
  }
  static net::awaitable<Message> Await(std::future<Message> future) {
    while (future.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
      co_await net::post(co_await net::this_coro::executor, kToken);
    }
    co_return future.get();
  }

  Router router_;
  Ends ends_;
  CloseReason server_reason_;
  IoThreads spare_{1};
  std::unique_ptr<TestServer> server_;
};

inline net::awaitable<CloseReason> ReadEnd(WebSocket* websocket) {
  const Message message = co_await websocket->ReadMessage();
  co_return message.close;
}

inline net::awaitable<void> CloseWith(WebSocket* websocket, CloseReason reason) {
  co_await websocket->Close(std::move(reason));
}

}  // namespace fairlead::dataplane::testing

#endif  // FAIRLEAD_DATAPLANE_TESTING_WEBSOCKET_FIXTURE_H_
