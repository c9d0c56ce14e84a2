// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Covers tickets: who gets them, and that they never stand for a certificate.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/testing/tls_engine_fixture.h"

namespace fairlead::dataplane {
namespace {

using ::fairlead::dataplane::testing::ClientSpec;

// Remembers the last session that a client with its context could resume.
class Tickets {
 public:
  explicit Tickets(SSL_CTX* client) {
    SSL_CTX_set_ex_data(client, Index(), this);
    SSL_CTX_set_session_cache_mode(client, SSL_SESS_CACHE_CLIENT);
    SSL_CTX_clear_options(client, SSL_OP_NO_TICKET);
    SSL_CTX_sess_set_new_cb(client, [](SSL* ssl, SSL_SESSION* session) {
      auto* tickets = static_cast<Tickets*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), Index()));
      tickets->last_.reset(session);
      return 1;
    });
  }

  // Shakes hands, with the ticket if there is one, and takes what tickets the server gives.
  // Whether the server has resumed.
  bool Connect(Pair& pair) {
    if (last_ != nullptr) SSL_set_session(pair.client.ssl(), last_.get());
    EXPECT_TRUE(pair.Shake()) << pair.client.failure() << pair.server.failure();
    // They go with what the server writes first.
    std::uint8_t byte = 0;
    EXPECT_EQ(pair.server.Write({&byte, 1}, pair.to_client), Outcome::kDone);
    std::size_t size = 0;
    ByteView input(pair.to_client);
    EXPECT_EQ(pair.client.Read(input, {&byte, 1}, size, pair.to_server), Outcome::kDone);
    return SSL_session_reused(pair.server.ssl()) != 0;
  }

  bool empty() const { return last_ == nullptr || !SSL_SESSION_is_resumable(last_.get()); }

 private:
  static int Index() {
    static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
  }

  bssl::UniquePtr<SSL_SESSION> last_;
};

class Resumption : public ::testing::TestWithParam<int> {
 protected:
  // Browsers, and the devices' agents.
  static std::shared_ptr<SSL_CTX> Make(const TlsIdentity* identity, std::vector<std::string> alpn) {
    std::shared_ptr<SSL_CTX> context = Client(ByCa(Ca()), identity, std::move(alpn))->Acquire();
    SSL_CTX_set_max_proto_version(context.get(), static_cast<std::uint16_t>(GetParam()));
    return context;
  }

  const TlsIdentity device_ = Ca().Issue(ClientSpec("urn:fairlead:device:A"));
  const std::shared_ptr<TlsServerContext> server_ = Server(Ca().Issue({}), Ca().pem());
};

TEST_P(Resumption, IsForThoseWhoAreNotAskedForACertificate) {
  const std::shared_ptr<SSL_CTX> browser = Make(nullptr, {"h2", "http/1.1"});
  Tickets tickets(browser.get());
  Pair first(server_->Acquire(), browser);
  Pair second(server_->Acquire(), browser);

  EXPECT_FALSE(tickets.Connect(first));
  EXPECT_TRUE(tickets.Connect(second));

  EXPECT_EQ(second.server.alpn(), "http/1.1");
  EXPECT_FALSE(second.server.facts().peer.has_value());
}

TEST_P(Resumption, DoesNotSkipTheCheckOfACertificate) {
  const std::shared_ptr<SSL_CTX> agent = Make(&device_, {});
  Tickets tickets(agent.get());
  Pair first(server_->Acquire(), agent);
  Pair second(server_->Acquire(), agent);

  EXPECT_FALSE(tickets.Connect(first));
  EXPECT_TRUE(tickets.empty());
  EXPECT_FALSE(tickets.Connect(second));

  EXPECT_TRUE(second.server.facts().peer.has_value());
}

TEST_P(Resumption, ABrowsersTicketIsOfNoUseToADevice) {
  const std::shared_ptr<SSL_CTX> client = Make(&device_, {"http/1.1"});
  Tickets tickets(client.get());
  Pair as_browser(server_->Acquire(), client);
  EXPECT_FALSE(tickets.Connect(as_browser));
  EXPECT_FALSE(tickets.empty());
  Pair as_device(server_->Acquire(), client);
  SSL_set_alpn_protos(as_device.client.ssl(), nullptr, 0);

  EXPECT_FALSE(tickets.Connect(as_device));

  EXPECT_TRUE(as_device.server.facts().peer.has_value());
}

TEST_P(Resumption, EndsWithAReload) {
  const std::shared_ptr<SSL_CTX> browser = Make(nullptr, {"http/1.1"});
  Tickets tickets(browser.get());
  Pair first(server_->Acquire(), browser);
  EXPECT_FALSE(tickets.Connect(first));
  ASSERT_THAT(server_->Reload(Ca().Issue({}), Ca().pem()), IsOk());
  Pair second(server_->Acquire(), browser);

  EXPECT_FALSE(tickets.Connect(second));
}

INSTANTIATE_TEST_SUITE_P(All, Resumption, ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION));

}  // namespace
}  // namespace fairlead::dataplane
