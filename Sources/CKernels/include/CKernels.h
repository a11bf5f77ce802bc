void hk_placeholder(void);
