/* The identities of what operators search for in the journal (MESSAGE_ID); each has its entry in
 * systemd/fluxaws.catalog. Never reused for something else. */
#ifndef FLUXAWS_MESSAGE_IDS_H
#define FLUXAWS_MESSAGE_IDS_H

#define MESSAGE_LINK_UP          "d5fea23ce647455f8ce16fa5c0f87946"
#define MESSAGE_LINK_DOWN        "1b4cd125e6fb45c59dc3b1606f667403"
#define MESSAGE_CREDENTIALS      "2bb47ffd69484ff78125af0a5f00169d"
#define MESSAGE_PROPERTY_REFUSED "06eb02e18a9f440a8c074e9de166ad18"
#define MESSAGE_FOREIGN_CHANGE   "6a857a29d2b74264ae9dda934a741bfd"
#define MESSAGE_NOT_DURABLE      "cb3d7584d0be42edb92ef189ec355ec7"
#define MESSAGE_CONFIGURATION    "6eb1a1807a86438aad7aeef40a1c1409"
#define MESSAGE_STOPPED          "1013f4127bcb4d44b7539753c2c6ca80"
#define MESSAGE_BUDGET           "9d952a7c49d748819a7440010a0e246c"
#define MESSAGE_QUARANTINED      "28a9e5083c55427c92128414708e4705"
#define MESSAGE_CROWDED          "6668cbb6b7ed4b429fc12678cb26d884"
#define MESSAGE_FILTER_REFUSED   "703ee8ff9b38478597f92722a785df32"
#define MESSAGE_RIVALS           "bab7bf332c8f4865ac94506e70cbbb0b"
#define MESSAGE_STORAGE_TROUBLE  "69f441eabc9648b2a30d245457039e85"
#define MESSAGE_STORAGE_WELL     "55a00eec33e340798bfc02adf01331fd"
#define MESSAGE_STATE_LOST       "ba9431c04c2e44fb862c8fa507d91670"
#define MESSAGE_STATE_SET_ASIDE  "6eda81950dcf4a7080bb3018c4ae0cf1"
#define MESSAGE_ORPHANED         "d1b361146e8a4e839e9353fc434eb3cd"

#endif
