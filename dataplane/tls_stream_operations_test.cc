// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers the TLS stream as an object of Asio's: the rules of asynchronous operations, operations
// that are pending when it closes, teardown, and moving between threads.
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/role.hpp>
#include <string>
#include <utility>

#include "dataplane/testing/tls_stream_fixture.h"
#include "dataplane/tls_stream.h"
#include "gtest/gtest.h"

namespace fairlead::dataplane {
namespace {

using testing::Await;
using testing::Data;
using testing::Receive;
using testing::Received;
using testing::Send;
using testing::Task;

class TlsStreamOperationsTest : public testing::TlsStreamFixture {};

TEST_F(TlsStreamOperationsTest, CloseEndsPendingOperations) {
  Shake();
  Task<Received> read(context_, Receive(*client_, 1, 1));
  const std::string much = Data(32 << 20, 1);
  Task<error_code> write(context_, Send(*client_, much, 1));
  context_.poll();
  ASSERT_FALSE(read.done());
  ASSERT_FALSE(write.done());

  client_->Close();

  EXPECT_EQ(read.Get().error, net::error::operation_aborted);
  EXPECT_EQ(write.Get(), net::error::operation_aborted);
}

TEST_F(TlsStreamOperationsTest, DestructionEndsAPendingRead) {
  Shake();
  error_code result;
  char byte = 0;
  client_->async_read_some(net::buffer(&byte, 1),
                           [&result](const error_code& error, std::size_t) { result = error; });
  context_.restart();
  context_.poll();

  client_.reset();
  context_.restart();
  context_.poll();

  EXPECT_EQ(result, net::error::operation_aborted);
}

TEST_F(TlsStreamOperationsTest, NeverCompletesInline) {
  Shake();
  ASSERT_FALSE(Await(context_, Send(*server_, "hello", 1)));
  char buffer[2];
  int completed = 0;
  const auto count = [&completed](const error_code& error, std::size_t size) {
    EXPECT_FALSE(error);
    EXPECT_EQ(size, 2u);
    ++completed;
  };
  for (int i = 0; i < 2; ++i) {
    client_->async_read_some(net::buffer(buffer), count);
    EXPECT_EQ(completed, 2 * i);
    client_->async_write_some(net::buffer("ab", 2), count);
    EXPECT_EQ(completed, 2 * i);
    context_.restart();
    while (completed < 2 * i + 2) context_.run_one();
  }
}

TEST_F(TlsStreamOperationsTest, CompletesOnTheHandlersExecutor) {
  Shake();
  net::io_context other;
  bool completed = false;
  client_->async_write_some(net::buffer("ab", 2),
                            net::bind_executor(other, [&completed](const error_code&, std::size_t) {
                              completed = true;
                            }));

  context_.restart();
  context_.poll();
  EXPECT_FALSE(completed);
  other.run();
  EXPECT_TRUE(completed);
}

TEST_F(TlsStreamOperationsTest, AnEmptyReadOrWriteCompletesWithNothing) {
  Shake();
  int completed = 0;
  const auto count = [&completed](const error_code& error, std::size_t size) {
    EXPECT_FALSE(error);
    EXPECT_EQ(size, 0u);
    ++completed;
  };
  client_->async_read_some(net::mutable_buffer(), count);
  client_->async_write_some(net::const_buffer(), count);

  context_.restart();
  context_.poll();

  EXPECT_EQ(completed, 2);
}

TEST_F(TlsStreamOperationsTest, ASlowReaderStopsTheWriterAndLosesNothing) {
  Shake();
  const std::string data = Data(24 << 20, 1);
  Task<error_code> send(context_, Send(*server_, data, 2));
  context_.restart();
  context_.poll();
  EXPECT_FALSE(send.done());

  EXPECT_TRUE(Await(context_, Receive(*client_, data.size(), 3)).data == data);

  EXPECT_FALSE(send.Get());
}

TEST_F(TlsStreamOperationsTest, TeardownEndsBothSidesInOrder) {
  Shake();
  error_code server_result = net::error::would_block;
  async_teardown(boost::beast::role_type::server, *server_,
                 [&server_result](const error_code& error) { server_result = error; });

  const Received received = Await(context_, Receive(*client_, 1, 1));
  EXPECT_EQ(received.error, net::error::eof);
  error_code client_result = net::error::would_block;
  async_teardown(boost::beast::role_type::client, *client_,
                 [&client_result](const error_code& error) { client_result = error; });
  context_.restart();
  while (client_result == net::error::would_block || server_result == net::error::would_block) {
    context_.run_one();
  }

  EXPECT_FALSE(server_result);
  EXPECT_FALSE(client_result);
  EXPECT_FALSE(server_->socket().is_open());
}

// Sends back what comes, moving the stream to the other context after each piece.
net::awaitable<bool> EchoOnce(TlsStream& stream, std::string& buffer, bool& over) {
  auto [error, size] = co_await stream.async_read_some(net::buffer(buffer), kToken);
  over = error == net::error::eof;
  if (error) co_return over;
  auto [write_error, written] =
      co_await net::async_write(stream, net::buffer(buffer.data(), size), kToken);
  co_return !write_error;
}

TEST_F(TlsStreamOperationsTest, MovesBetweenContextsUnderTraffic) {
  Shake();
  const std::string data = Data(2 << 20, 1);
  net::io_context other;
  Task<error_code> send(context_, Send(*client_, data, 2));
  Task<Received> receive(context_, Receive(*client_, data.size(), 3));
  std::string buffer(20'000, '\0');
  bool over = false;
  net::io_context* home = &context_;

  for (int moves = 0; !receive.done(); ++moves) {
    home = home == &context_ ? &other : &context_;
    server_->MoveTo(home->get_executor());
    ASSERT_TRUE(server_->get_executor() == net::any_io_executor(home->get_executor()));
    Task<bool> echo(*home, EchoOnce(*server_, buffer, over));
    while (!echo.done() && !receive.done()) {
      context_.restart();
      context_.poll();
      other.restart();
      other.poll();
    }
    if (receive.done() && !echo.done()) {
      server_->Close();
      static_cast<void>(echo.Get());
    }
  }

  EXPECT_TRUE(receive.Get().data == data);
  EXPECT_FALSE(send.Get());
}

TEST_F(TlsStreamOperationsTest, IsMovable) {
  Shake();
  TlsStream server = std::move(*server_);
  server_.reset();

  EXPECT_FALSE(Await(context_, Send(server, "hello", 1)));
  EXPECT_EQ(Await(context_, Receive(*client_, 5, 1)).data, "hello");
}

}  // namespace
}  // namespace fairlead::dataplane
